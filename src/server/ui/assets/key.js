// The key, where the gateway needs one: asked for once, kept until the tab is closed, sent as a header.

const NAME = "mcp-gateway key";
const dialog = document.getElementById("key");
const input = document.getElementById("key-text");
const said = document.getElementById("key-said");

export function headers() {
  const key = sessionStorage.getItem(NAME);
  return key ? { Authorization: `Bearer ${key}` } : {};
}

export function isKnown() {
  return sessionStorage.getItem(NAME) !== null;
}

export function forget() {
  sessionStorage.removeItem(NAME);
}

/** Waits until a person has given one. */
export function ask() {
  said.textContent = isKnown() ? "The gateway does not know this key." : "";
  forget();
  input.value = "";
  if (!dialog.open) dialog.showModal();
  return new Promise((resolve) => {
    dialog.addEventListener("close", () => {
      const key = input.value.trim();
      input.value = "";
      if (key === "") return ask().then(resolve);
      sessionStorage.setItem(NAME, key);
      resolve();
    }, { once: true });
  });
}
