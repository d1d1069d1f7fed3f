// What the page can do: choose charts, show the diff of one, mark edits as reviewed, move about by keyboard.
"use strict";
(() => {
  const all = (selector, root = document) => [...root.querySelectorAll(selector)];
  const filter = document.getElementById("filter");
  const matches = document.getElementById("matches");
  const progress = document.getElementById("progress");
  const charts = all(".chart");
  const shapes = all(".shape");
  const filesTitle = document.getElementById("files-title");
  const allFiles = filesTitle.textContent;
  // A chart that was chosen by a click or a link; typing chooses by part of the name instead.
  let chosen = null;

  // The mark belongs to the edit and not to the page: where the edit is another one tomorrow, so is its id.
  const key = (shape) => "osh-registry-auth:reviewed:" + shape.dataset.shape;
  const memory = {
    has(shape) { try { return localStorage.getItem(key(shape)) !== null; } catch { return false; } },
    set(shape, seen) {
      try {
        if (seen) localStorage.setItem(key(shape), "1"); else localStorage.removeItem(key(shape));
      } catch { /* The browser keeps nothing for such pages: the mark lasts until the reload. */ }
    },
  };

  function show() {
    const words = filter.value.toLowerCase().split(/\s+/).filter(Boolean);
    const isShown = (chart) => chosen !== null
      ? chart.dataset.chart === chosen
      : words.length === 0 || words.some((word) => chart.dataset.name.toLowerCase().includes(word));
    const shown = new Set(charts.filter(isShown).map((chart) => chart.dataset.chart));
    const isAll = shown.size === charts.length;
    for (const chart of charts) {
      // One that was chosen stays among the others, so that another can be.
      chart.parentElement.hidden = chosen === null && !shown.has(chart.dataset.chart);
      chart.setAttribute("aria-pressed", String(chart.dataset.chart === chosen));
    }
    for (const part of all("[data-charts]")) {
      part.hidden = !isAll && !part.dataset.charts.split(" ").some((number) => shown.has(number));
    }
    for (const chip of all(".chip")) {
      chip.parentElement.hidden = !isAll && !shown.has(chip.dataset.chart);
    }
    // Of one chart the reader sees its own diff, and not that of another as an example.
    const only = shown.size === 1 ? charts.find((chart) => shown.has(chart.dataset.chart)) : null;
    filesTitle.textContent = only ? "The diff of " + only.dataset.name : allFiles;
    for (const file of all(".file")) file.open = only !== null && !file.hidden;
    let isEmpty = true;
    for (const section of all("main > section:not(#overview)")) {
      section.hidden = !isAll
        && (only && section.id === "shapes" || !section.querySelector("[data-charts]:not([hidden])"));
      if (section.id === "files") isEmpty = section.hidden;
    }
    matches.textContent = isAll ? ""
      : shown.size + " of " + charts.length + " charts" + (isEmpty ? ", nothing changes" : "");
  }

  // A link to the page keeps which chart was chosen.
  function choose(number) {
    const name = number === null || number === chosen ? "" : charts[number].dataset.name;
    location.hash = name && new URLSearchParams({ chart: name });
    follow();
  }

  function follow() {
    const name = new URLSearchParams(location.hash.slice(1)).get("chart");
    const chart = charts.find((chart) => chart.dataset.name === name);
    chosen = chart ? chart.dataset.chart : null;
    filter.value = chart ? name : "";
    show();
  }

  function mark(shape, seen) {
    shape.classList.toggle("seen", seen);
    shape.querySelector(".reviewed input").checked = seen;
  }

  function count() {
    const seen = shapes.filter((shape) => shape.classList.contains("seen")).length;
    progress.textContent = seen + " of " + shapes.length + " edits reviewed";
  }

  // On a wide screen the style puts these on the left, and what is new on the right.
  function split() {
    for (const diff of all(".diff:has(span:not(.hunk), del)")) {
      for (const kept of all("span:not(.hunk)", diff)) {
        const old = kept.cloneNode(true);
        old.className = "old";
        old.ariaHidden = "true";
        kept.before(old);
      }
      diff.classList.add("split");
    }
  }

  // The edit that keys are for: the one that has the focus in it, else the first one in view.
  function current() {
    const focused = document.activeElement && document.activeElement.closest(".shape");
    return focused || null;
  }

  function move(step) {
    const visible = shapes.filter((shape) => !shape.hidden);
    const at = visible.indexOf(current());
    const next = visible[at === -1 ? (step > 0 ? 0 : visible.length - 1) : at + step];
    if (next) { next.focus(); next.scrollIntoView({ block: "start" }); }
  }

  for (const shape of shapes) {
    mark(shape, memory.has(shape));
    shape.querySelector(".reviewed input").addEventListener("change", (event) => {
      mark(shape, event.target.checked);
      memory.set(shape, event.target.checked);
      count();
    });
  }
  for (const button of all(".chart, .chip")) {
    button.addEventListener("click", () => choose(button.dataset.chart));
  }
  filter.addEventListener("input", () => {
    chosen = null;
    history.replaceState(null, "", "#");
    show();
  });
  addEventListener("hashchange", follow);
  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    if (event.key === "Escape") { filter.blur(); choose(null); return; }
    if (event.target.closest("input[type=search]")) return;
    if (event.key === "/") { event.preventDefault(); filter.focus(); filter.select(); }
    else if (event.key === "j") move(1);
    else if (event.key === "k") move(-1);
    else if (event.key === "r" && current()) current().querySelector(".reviewed input").click();
  });
  const wide = matchMedia("(min-width: 1500px)");
  if (wide.matches) split(); else wide.addEventListener("change", split, { once: true });
  follow();
  count();
})();
