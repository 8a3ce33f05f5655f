// Numbers as dashboard/units.py writes them: three significant digits, and the scale that fits.
"use strict";

const Units = {
  scales: {},

  text(value, unit) {
    if (value === null || value === undefined || !Number.isFinite(value)) return "–";
    const [factor, suffix] = Units.scale(value, unit);
    const number = Units.number(value / factor);
    return suffix ? `${number}\u202f${suffix}` : number;
  },

  // A share of the axis in the scale of its top, without what the chart's title says.
  axis(share, top, unit) {
    const [factor, suffix] = Units.scale(top, unit);
    const said = suffix.replace(/(\/s|cores)$/, "");
    const number = Units.number((share * top) / factor);
    return said ? `${number}\u202f${said}` : number;
  },

  scale(value, unit) {
    const scales = Units.scales[unit];
    const fitting = scales.filter(([factor]) => Math.abs(Units.rounded(value / factor)) >= 1);
    if (fitting.length) return fitting.at(-1);
    return (value === 0 && scales.find(([factor]) => factor === 1)) || scales[0];
  },

  number(value) {
    if (Math.abs(value) < 0.0005) return "0";
    const rounded = Units.rounded(value);
    const digits = Math.min(3, Math.max(0, 2 - Math.floor(Math.log10(Math.abs(rounded)))));
    const shown = rounded.toFixed(digits);
    return shown.includes(".") ? shown.replace(/0+$/, "").replace(/\.$/, "") : shown;
  },

  rounded: (value) => Number(value.toPrecision(3)),
};
