"use strict";
document.documentElement.classList.add("scripted");
const byId = (id) => document.getElementById(id);

const slider = byId("alpha");
if (slider) {
  const show = () => {
    byId("gallery").style.setProperty("--alpha", slider.value / 100);
    byId("alpha-value").textContent = `${slider.value} %`;
  };
  slider.addEventListener("input", () => {
    byId("view-overlay").checked = true;
    show();
  });
  // Browsers keep what was set when a page is loaded again.
  show();
}

const find = byId("find");
if (find) {
  const rows = [...byId("failure-rows").rows];
  find.addEventListener("input", () => {
    const wanted = find.value.toLowerCase();
    for (const row of rows) row.hidden = !row.textContent.toLowerCase().includes(wanted);
    byId("found").textContent = `${rows.filter((row) => !row.hidden).length} of ${rows.length}`;
  });
}

const measure = byId("measure");
if (measure) {
  const bars = [...document.querySelectorAll("meter.bar")];
  const show = () => {
    const values = bars.map((bar) => Number(bar.dataset[measure.value]));
    const most = Math.max(...values);
    const least = Math.min(...values.filter((value) => value > 0));
    // On a logarithmic scale the least is a tenth of the most: nothing that is there has no bar.
    const logarithmic = (value) => 0.1 + (most > least ? 0.9 * Math.log(value / least) / Math.log(most / least) : 0.9);
    values.forEach((value, place) => {
      const share = byId("log").checked ? logarithmic(value) : value / most;
      bars[place].value = value > 0 ? share : 0;
      bars[place].setAttribute("aria-label", bars[place].dataset[measure.value]);
    });
  };
  for (const control of [measure, byId("log")]) control.addEventListener("change", show);
  show();
}
