// The files in what was dropped, also those in folders.

async function* walk(entry) {
  if (entry.isFile) {
    yield new Promise((resolve, reject) => entry.file(resolve, reject));
    return;
  }
  const reader = entry.createReader();
  for (;;) {
    // A folder is read in parts; the last one is empty.
    const part = await new Promise((resolve, reject) => reader.readEntries(resolve, reject));
    if (!part.length) return;
    for (const child of part) yield* walk(child);
  }
}

/** All files of a drop, except hidden ones. */
export async function filesOf(transfer) {
  // Both are gone after the first pause.
  const entries = [...transfer.items].map((item) => item.webkitGetAsEntry()).filter(Boolean);
  const plain = [...transfer.files];
  if (!entries.length) return plain;
  const files = [];
  for (const entry of entries) for await (const file of walk(entry)) files.push(file);
  return files.filter((file) => !file.name.startsWith("."));
}
