// Requests to the server. An error has the server's own words.

async function answer(response) {
  if (response.ok) return response;
  let detail = `the server answered with status ${response.status}`;
  try {
    detail = (await response.json()).detail ?? detail;
  } catch {
    // It is no JSON: the status is all there is.
  }
  throw new Error(detail);
}

async function ask(path, options) {
  let response;
  try {
    response = await fetch(path, options);
  } catch {
    throw new Error("the program that opened this page does not answer; is it still running?");
  }
  return answer(response);
}

const one = (id) => `/api/photos/${id}`;

export const health = async () => (await ask("/api/health")).json();
export const photos = async () => (await ask("/api/photos")).json();
export const remove = (id) => ask(one(id), { method: "DELETE" });
export const edits = async (id) => (await ask(`${one(id)}/edits`)).json();
export const save = async (id, edits) =>
  (await ask(`${one(id)}/edits`, { method: "PUT", body: JSON.stringify(edits) })).json();
export const suggestions = async (id, x, y, page) =>
  (await ask(`${one(id)}/suggestions?x=${x}&y=${y}&page=${page}`)).json();
export const variants = async (id) => (await ask(`${one(id)}/variants`)).json();
/** What is at an address that the server told. */
export const blob = async (address) => (await ask(address)).blob();
/** A page in gray or colored: of a `size`, or a `part` (left, top, width, height) at full size. */
export const picture = async (id, kind, page, view) =>
  (await ask(`${one(id)}/${kind}?${new URLSearchParams({ page, ...view })}`)).blob();
/** The colored photograph at full size, and the name of its file. */
export async function result(id, format) {
  const response = await ask(`${one(id)}/result${format ? `?format=${format}` : ""}`);
  const [, name] = response.headers.get("Content-Disposition").split("filename*=UTF-8''");
  return { blob: await response.blob(), name: decodeURIComponent(name) };
}
export const hintsAddress = (id) => `${one(id)}/hints`;
export const thumbnailAddress = (photo) =>
  `${one(photo.id)}/colored?size=320&revision=${photo.revision}`;

/** Uploads a file, and tells how much of it (0 to 1) has arrived. */
export function upload(file, onProgress) {
  return new Promise((resolve, reject) => {
    const request = new XMLHttpRequest();
    const form = new FormData();
    form.append("file", file, file.name);
    request.upload.onprogress = (event) => onProgress(event.loaded / event.total);
    request.onerror = () =>
      reject(new Error("the upload was cut off, or the program is not running any more"));
    request.onload = () => {
      let content = {};
      try {
        content = JSON.parse(request.responseText);
      } catch {
        // The status says what there is to say.
      }
      if (request.status === 200) resolve(content);
      else reject(new Error(content.detail ?? `the server answered ${request.status}`));
    };
    request.open("POST", "/api/photos");
    request.send(form);
  });
}
