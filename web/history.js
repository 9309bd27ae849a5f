// Undo and redo of the edits of a photograph.

/** Keeps what a photograph looked like before each change. */
export class History {
  #past = [];
  #future = [];
  #present;

  constructor(edits) {
    this.#present = JSON.stringify(edits);
  }

  get canUndo() {
    return this.#past.length > 0;
  }

  get canRedo() {
    return this.#future.length > 0;
  }

  /** Remembers that the edits are now these. */
  add(edits) {
    const text = JSON.stringify(edits);
    if (text === this.#present) return;
    this.#past.push(this.#present);
    this.#present = text;
    this.#future = [];
  }

  /** The edits before the last change. */
  undo() {
    this.#future.push(this.#present);
    this.#present = this.#past.pop();
    return JSON.parse(this.#present);
  }

  /** The edits after the change that was undone last. */
  redo() {
    this.#past.push(this.#present);
    this.#present = this.#future.pop();
    return JSON.parse(this.#present);
  }
}
