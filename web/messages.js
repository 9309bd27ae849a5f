// Messages in words, which stay until they are closed or outdated.

const MOST = 4;
const [good, bad, told] = ["messages", "errors", "told"].map((id) => document.getElementById(id));

/** Shows a message; a bad one says that something went wrong. */
export function say(text, { bad: isBad = false } = {}) {
  const message = document.createElement("div");
  message.className = isBad ? "message bad" : "message";
  const words = document.createElement("span");
  words.textContent = text;
  const close = document.createElement("button");
  close.type = "button";
  close.textContent = "Close";
  close.addEventListener("click", () => message.remove());
  message.append(words, close);
  const place = isBad ? bad : good;
  place.append(message);
  while (place.children.length > MOST) place.firstChild.remove();
  if (!isBad) setTimeout(() => message.remove(), 8000);
}

/** Tells a screen reader what others see. */
export function tell(text) {
  told.textContent = text;
}
