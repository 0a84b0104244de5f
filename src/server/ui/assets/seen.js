// Draws what can be seen and has changed, a few milliseconds in each frame, so that scrolling stays smooth.

const BUDGET_MS = 4;
const drawings = new Map();
const visible = new Set();
const due = new Set();
let isScheduled = false;

const observer = new IntersectionObserver((entries) => {
  for (const { target, isIntersecting } of entries) {
    if (isIntersecting) {
      visible.add(target);
      want(target);
    } else {
      visible.delete(target);
    }
  }
}, { rootMargin: "100px" });

/** `draw` is called for `node` when it can be seen and somebody has said that it changed. */
export function register(node, draw) {
  drawings.set(node, { draw, changed: true });
  observer.observe(node);
}

export function unregister(node) {
  observer.unobserve(node);
  drawings.delete(node);
  visible.delete(node);
  due.delete(node);
}

export function changed(node) {
  const drawing = drawings.get(node);
  if (!drawing) return;
  drawing.changed = true;
  if (visible.has(node)) want(node);
}

export function changedAll() {
  for (const node of drawings.keys()) changed(node);
}

function want(node) {
  if (!drawings.get(node)?.changed) return;
  due.add(node);
  if (!isScheduled) {
    isScheduled = true;
    requestAnimationFrame(frame);
  }
}

function frame() {
  const end = performance.now() + BUDGET_MS;
  for (const node of due) {
    due.delete(node);
    const drawing = drawings.get(node);
    if (drawing && visible.has(node)) {
      drawing.changed = false;
      drawing.draw();
    }
    if (performance.now() > end) break;
  }
  isScheduled = due.size > 0;
  if (isScheduled) requestAnimationFrame(frame);
}
