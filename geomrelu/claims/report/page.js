
"use strict";
{
  const form = document.getElementById("filter");
  const words = document.getElementById("words");
  const count = document.getElementById("count");
  const claims = [...document.querySelectorAll("article")];

  const filter = () => {
    const chosen = new Set(new FormData(form).getAll("status"));
    const sought = words.value.toLowerCase().split(/\s+/).filter(Boolean);
    let shown = 0;
    for (const claim of claims) {
      const fits = (chosen.size === 0 || chosen.has(claim.dataset.status)) &&
        sought.every((word) => claim.dataset.words.includes(word));
      claim.hidden = !fits;
      shown += fits;
    }
    for (const section of document.querySelectorAll("section")) {
      section.hidden = !section.querySelector("article:not([hidden])");
    }
    count.value = `${shown} of ${claims.length} claims`;
  };

  const all = () => {
    form.reset();
    filter();
  };

  const reveal = () => { // a link to a claim that the filter hides shows all again
    const claim = document.getElementById(location.hash.slice(1));
    if (claim && claim.hidden) {
      all();
      claim.scrollIntoView();
    }
  };

  form.addEventListener("input", filter);
  form.addEventListener("submit", (event) => event.preventDefault());
  form.querySelector("button").addEventListener("click", all);
  addEventListener("hashchange", reveal);
  let closed = [];
  addEventListener("beforeprint", () => { // nothing is folded on paper
    closed = [...document.querySelectorAll("details:not([open])")];
    for (const details of closed) details.open = true;
  });
  addEventListener("afterprint", () => {
    for (const details of closed) details.open = false;
  });
  form.hidden = false;
  filter(); // a reload may have kept what was chosen
  reveal();
}
