// Messages in words, which stay until they are closed or outdated.

const MOST = 4;
const place = document.getElementById("messages");

/** Shows a message; a bad one says that something went wrong. */
export function say(text, { bad = false } = {}) {
  const message = document.createElement("div");
  message.className = bad ? "message bad" : "message";
  const words = document.createElement("span");
  words.textContent = text;
  const close = document.createElement("button");
  close.type = "button";
  close.textContent = "Close";
  close.addEventListener("click", () => message.remove());
  message.append(words, close);
  place.append(message);
  while (place.children.length > MOST) place.firstChild.remove();
  if (!bad) setTimeout(() => message.remove(), 8000);
}
