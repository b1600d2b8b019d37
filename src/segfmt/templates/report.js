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

if (byId("classes-chart")) {
  const data = JSON.parse(byId("figures").textContent);
  const dark = matchMedia("(prefers-color-scheme: dark)");
  const charts = [];
  const axis = (title, more) => ({ title: { display: Boolean(title), text: title }, ...more });

  const drawClasses = (ink) => {
    const measure = byId("measure").value;
    byId("classes-box").style.height = `${data.classes.length * 24 + 60}px`;
    return new Chart(byId("classes-chart"), {
      type: "bar",
      data: {
        labels: data.classes.map((row) => row.label),
        datasets: [{
          data: data.classes.map((row) => row[measure]),
          backgroundColor: data.classes.map((row) => row.color),
          borderColor: ink,
          borderWidth: 1,
        }],
      },
      options: {
        indexAxis: "y",
        maintainAspectRatio: false,
        scales: {
          x: axis(byId("measure").selectedOptions[0].text, {
            type: byId("log").checked ? "logarithmic" : "linear",
          }),
          y: axis("", { ticks: { autoSkip: false } }),
        },
        plugins: { legend: { display: false } },
      },
    });
  };

  const drawSizes = (ink) => {
    const most = Math.max(...data.sizes.map((row) => row.samples));
    return new Chart(byId("sizes-chart"), {
      type: "bubble",
      data: {
        datasets: [{
          data: data.sizes.map((row) => ({
            x: row.width, y: row.height, r: 3 + 12 * Math.sqrt(row.samples / most), samples: row.samples,
          })),
          backgroundColor: "transparent",
          borderColor: ink,
          borderWidth: 2,
        }],
      },
      options: {
        maintainAspectRatio: false,
        scales: { x: axis("width", { grace: "5%" }), y: axis("height", { grace: "5%" }) },
        plugins: {
          legend: { display: false },
          tooltip: { callbacks: { label: ({ raw }) => `${raw.x} x ${raw.y}: ${raw.samples}` } },
        },
      },
    });
  };

  const draw = () => {
    const style = getComputedStyle(document.body);
    Chart.defaults.animation = false;
    Chart.defaults.color = style.color;
    Chart.defaults.borderColor = style.getPropertyValue("--line");
    Chart.defaults.font.family = style.fontFamily;
    for (const chart of charts.splice(0)) chart.destroy();
    charts.push(drawClasses(style.color));
    if (byId("sizes-chart")) charts.push(drawSizes(style.color));
  };
  for (const id of ["measure", "log"]) byId(id).addEventListener("change", draw);
  dark.addEventListener("change", draw);
  draw();
}
