/* Lets the search run from a page that is opened from the disk, where browsers start no workers: a hidden frame in its
   place, which takes and sends the same messages. Does nothing on a page that a server sends. */
(function () {
  if (location.protocol !== "file:") return;
  class IFrameWorker extends EventTarget {
    constructor(address) {
      super();
      const frame = document.createElement("iframe");
      frame.hidden = true;
      const begin =
        "self.postMessage = data => parent.postMessage({fromFrame: true, data}, '*');" +
        "self.importScripts = (...all) => all.reduce((done, address) => done.then(() => new Promise((resolve, reject) => {" +
        "const one = document.createElement('script'); one.src = address; one.onload = resolve; one.onerror = reject;" +
        "document.head.appendChild(one); })), Promise.resolve());";
      frame.srcdoc = `<!doctype html><html><body><script>${begin}<\/script><script src="${address}"><\/script></body></html>`;
      this.ready = new Promise((resolve) => frame.addEventListener("load", resolve));
      this.frame = frame;
      this.heard = (event) => {
        if (event.source !== frame.contentWindow || !event.data || !event.data.fromFrame) return;
        const told = new MessageEvent("message", { data: event.data.data });
        this.dispatchEvent(told);
        if (this.onmessage) this.onmessage(told);
      };
      window.addEventListener("message", this.heard);
      document.body.appendChild(frame);
    }
    postMessage(data) {
      this.ready.then(() => this.frame.contentWindow.dispatchEvent(new MessageEvent("message", { data })));
    }
    terminate() {
      window.removeEventListener("message", this.heard);
      this.frame.remove();
    }
  }
  window.IFrameWorker = IFrameWorker;
  window.Worker = IFrameWorker;
})();
