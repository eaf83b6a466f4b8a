// Follows an invoice until it is on the chain, and shares its link. Without it the page says the same, only later.
"use strict";

(() => {
  const QUICK = 1000;
  const SLOW = 5000;
  const QUICK_FOR = 60000;
  const begun = Date.now();

  function offerSharing() {
    const button = document.getElementById("share");
    if (!button || !(navigator.share || navigator.clipboard)) return;
    button.hidden = false;
    button.addEventListener("click", async () => {
      const url = location.origin + location.pathname;
      if (navigator.share) {
        await navigator.share({ title: document.title, url }).catch(() => {});
        return;
      }
      await navigator.clipboard.writeText(url);
      const label = button.querySelector("span");
      const before = label.textContent;
      label.textContent = button.dataset.copied;
      setTimeout(() => { label.textContent = before; }, 2000);
    });
  }

  function openChosen() {
    const chosen = location.hash === "#check" && document.getElementById("check");
    if (chosen) chosen.open = true;
  }

  async function renew() {
    const answer = await fetch(location.href, { headers: { Accept: "text/html" } });
    if (!answer.ok) return;
    const fresh = new DOMParser().parseFromString(await answer.text(), "text/html");
    const main = document.getElementById("invoice");
    const open = [...main.querySelectorAll("details")].map((each) => each.open);
    const sentence = document.getElementById("sentence");
    main.replaceWith(document.adoptNode(fresh.getElementById("invoice")));
    document.querySelectorAll("#invoice details").forEach((each, at) => { each.open = !!open[at]; });
    // The element that is announced stays the same one; only its words change.
    const words = document.getElementById("sentence");
    sentence.replaceChildren(...words.childNodes);
    words.replaceWith(sentence);
    offerSharing();
  }

  async function follow() {
    const main = document.getElementById("invoice");
    if (main.dataset.final === "yes") return;
    try {
      if (!document.hidden) {
        const answer = await fetch(location.pathname + "/state");
        if (answer.ok && (await answer.json()).state !== main.dataset.state) await renew();
      }
    } catch {
      // The network comes back or it does not; the next round tells.
    }
    setTimeout(follow, Date.now() - begun < QUICK_FOR ? QUICK : SLOW);
  }

  offerSharing();
  openChosen();
  addEventListener("hashchange", openChosen);
  setTimeout(follow, QUICK);
})();
