// The undo toast counts down in words and goes when its time is over; without script it is a plain notice at the top of the page.
export function toasts() {
  for (const toast of document.querySelectorAll('[data-undo-seconds]')) {
    let left = Number(toast.dataset.undoSeconds);
    const out = toast.querySelector('[data-seconds]');
    const tick = setInterval(() => {
      left -= 1;
      if (out) out.textContent = String(Math.max(left, 0));
      if (left <= 0) { clearInterval(tick); toast.remove(); }
    }, 1000);
  }
}
