'use strict';
(() => {
  const report = JSON.parse(document.getElementById('data').textContent);
  const [original, ...quantized] = report.rows;
  const charts = [];
  let shown = null;

  const css = name => getComputedStyle(document.documentElement).getPropertyValue(name).trim();
  const axis = (name, extra) => ({
    name, nameLocation: 'middle', nameGap: 32, nameTextStyle: { color: css('--soft') },
    axisLabel: { color: css('--soft') }, axisLine: { lineStyle: { color: css('--line') } },
    axisTick: { show: false }, splitLine: { lineStyle: { color: css('--line') } }, ...extra });
  const tooltip = () => ({
    backgroundColor: css('--panel'), borderColor: css('--line'), textStyle: { color: css('--ink') }, confine: true });
  const family = name => name.replace(/[0-9].*$/, '');
  const colours = () => ({
    any: css('--accent'), paper: css('--accent'), exact: css('--accent'), best: css('--accent'), int: css('--blue'),
    nf: css('--green'), fp: css('--gold'), 'fpq-w': css('--gold'), mx: css('--violet') });
  const colour = name => colours()[family(name)] ?? css('--violet');
  // Formats of about the same size sit close together: each family has its own side for its labels.
  const side = { any: 'top', int: 'bottom', nf: 'left', fp: 'right', mx: 'right' };
  const short = value => Number(value.toPrecision(3)).toString();

  function chart(id, option) {
    const element = document.getElementById(id);
    const instance = echarts.init(element, null, { renderer: 'svg' });
    instance.setOption({ animation: false, textStyle: { fontFamily: 'inherit' }, ...option });
    charts.push(instance);
    return instance;
  }

  function scatter(id, title, value, baseline, logarithmic) {
    const families = [...new Set(quantized.map(row => family(row.name)))];
    const series = families.map(f => {
      const rows = quantized.filter(row => family(row.name) === f).sort((a, b) => a.bitsPerWeight - b.bitsPerWeight);
      // A line tells how a format gains with its bits; ways to round it share theirs.
      const gains = new Set(rows.map(row => row.bitsPerWeight)).size === rows.length;
      return {
        type: 'line', symbol: 'circle', symbolSize: 10, color: colour(f), lineStyle: { width: 1.5, opacity: gains ? .45 : 0 },
        data: rows.map(row => ({ name: row.name, value: [row.bitsPerWeight, value(row)] })),
        label: { show: true, formatter: '{b}', position: side[f] ?? 'top', distance: 7, color: css('--ink'), fontSize: 12 },
        labelLayout: { hideOverlap: true } };
    });
    if (baseline !== null) {
      series[0].markLine = {
        silent: true, symbol: 'none', lineStyle: { color: css('--soft'), type: 'dashed' },
        label: { formatter: original.name + ' ' + short(baseline), color: css('--soft'), position: 'insideStartTop' },
        data: [{ yAxis: baseline }] };
    }
    const bits = quantized.map(row => row.bitsPerWeight);
    chart(id, {
      title: { text: title, left: 16, top: 12, textStyle: { color: css('--ink'), fontSize: 14, fontWeight: 600 } },
      grid: { left: 64, right: 32, top: 64, bottom: 56 },
      tooltip: { ...tooltip(), trigger: 'item', formatter: p =>
        `<b>${echarts.format.encodeHTML(p.name)}</b><br>${short(p.value[0])} bits per weight<br>${title} ${short(p.value[1])}` },
      xAxis: axis('Bits per weight', {
        type: 'value', min: Math.floor(Math.min(...bits) * 2 - .5) / 2, max: Math.ceil(Math.max(...bits) * 2 + .5) / 2 }),
      yAxis: axis('', { type: logarithmic ? 'log' : 'value', scale: true, axisLabel: { color: css('--soft'), formatter: short } }),
      series });
  }

  function layers() {
    const section = document.getElementById('layers-section');
    if (report.layers.length === 0) {
      section.remove();
      return;
    }
    const names = [...new Set(report.layers.map(l => l.model))];
    shown ??= names.find(n => n === 'any4') ?? names[0];
    const projections = [...new Set(report.layers.map(l => l.projection))];
    const blocks = [...new Set(report.layers.map(l => l.block))].sort((a, b) => a - b);
    const logs = report.layers.filter(l => l.relativeError > 0).map(l => Math.log10(l.relativeError));
    document.getElementById('layers').style.height = `${86 + 26 * Math.max(4, blocks.length)}px`;
    const instance = chart('layers', {
      grid: { left: 64, right: 110, top: 20, bottom: projections.length > 8 ? 64 : 36 },
      tooltip: { ...tooltip(), formatter: p => {
        const l = p.data.layer;
        return `<b>block ${l.block} ${echarts.format.encodeHTML(l.projection)}</b><br>${short(100 * l.relativeError)} %`; } },
      xAxis: axis('', { type: 'category', data: projections, splitLine: { show: false }, axisLabel: { color: css('--soft'), interval: 0, rotate: projections.length > 8 ? 30 : 0, formatter: p => p.replace(/^.*\./, '') } }),
      yAxis: axis('Block', { type: 'category', data: blocks, inverse: true, splitLine: { show: false } }),
      visualMap: {
        min: Math.min(...logs), max: Math.max(...logs), calculable: false, orient: 'vertical', right: 12, top: 'middle', itemHeight: 90,
        textStyle: { color: css('--soft') }, text: [short(100 * 10 ** Math.max(...logs)) + ' %', short(100 * 10 ** Math.min(...logs)) + ' %'],
        inRange: { color: [css('--heat-low'), css('--heat-mid'), css('--heat-high')] } },
      series: [{ type: 'heatmap', itemStyle: { borderColor: css('--panel'), borderWidth: 2, borderRadius: 3 } }] });
    const draw = () => instance.setOption({ series: [{ data: report.layers.filter(l => l.model === shown).map(l => ({
      layer: l, value: [projections.indexOf(l.projection), blocks.indexOf(l.block), l.relativeError > 0 ? Math.log10(l.relativeError) : Math.min(...logs)] })) }] });
    const tabs = document.getElementById('formats');
    tabs.replaceChildren(...names.map(name => {
      const button = document.createElement('button');
      button.type = 'button';
      button.textContent = name;
      button.setAttribute('aria-pressed', name === shown);
      button.onclick = () => {
        shown = name;
        for (const b of tabs.children) b.setAttribute('aria-pressed', b === button);
        draw();
      };
      return button;
    }));
    draw();
  }

  function histogram() {
    const h = report.histogram;
    const section = document.getElementById('histogram-section');
    if (!h) {
      section.remove();
      return;
    }
    document.getElementById('histogram-note').textContent =
      `The weights of row ${h.row} of ${h.tensor}, each group stretched to the range 0 to 1, and where the formats put `
      + 'their levels. It is the row of its matrix whose learned levels are the least even.';
    const bins = h.counts.length;
    const names = h.grids.map(g => g.name);
    const levels = h.grids.flatMap(g => g.levels);
    const range = { min: Math.min(0, ...levels), max: Math.max(1, ...levels) };
    const bars = h.counts.map((count, i) => [(i + .5) / bins, count]);
    chart('histogram', {
      grid: [{ left: 72, right: 32, top: 28, height: '56%' }, { left: 72, right: 32, top: '70%', height: '18%' }],
      tooltip: tooltip(),
      xAxis: [
        axis('', { gridIndex: 0, type: 'value', ...range, axisLabel: { show: false }, splitLine: { show: false } }),
        axis('Position within the group', { gridIndex: 1, type: 'value', ...range, axisLabel: { color: css('--soft'), showMinLabel: false, showMaxLabel: false }, splitLine: { show: false } })],
      yAxis: [
        axis('Weights', { gridIndex: 0, type: 'value', nameGap: 44 }),
        axis('', { gridIndex: 1, type: 'category', data: names, inverse: true, axisLabel: { color: css('--ink') }, splitLine: { show: true, lineStyle: { color: css('--line') } } })],
      series: [
        { type: 'custom', xAxisIndex: 0, yAxisIndex: 0, data: bars, encode: { x: 0, y: 1 },
          tooltip: { formatter: p => `${p.value[1]} weights` },
          renderItem: (_, api) => {
            const [x, y] = api.coord([api.value(0), api.value(1)]);
            const [width, ] = api.size([1 / bins, 0]);
            const bottom = api.coord([0, 0])[1];
            return { type: 'rect', shape: { x: x - width / 2 + .5, y, width: Math.max(1, width - 1), height: bottom - y },
              style: { fill: css('--soft'), opacity: .45 } };
          } },
        ...h.grids.map((grid, i) => ({
          type: 'scatter', xAxisIndex: 1, yAxisIndex: 1, symbol: 'rect', symbolSize: [3, 18], color: colour(grid.name),
          data: grid.levels.map(level => [level, i]),
          tooltip: { formatter: p => `${echarts.format.encodeHTML(grid.name)} level ${short(p.value[0])}` } }))] });
  }

  function render() {
    charts.splice(0).forEach(c => c.dispose());
    if (quantized.length > 0) {
      scatter('perplexity', 'Perplexity', row => row.perplexity.perplexity, original.perplexity.perplexity, false);
      scatter('divergence', 'KL divergence', row => row.divergence.kl, null, true);
    }
    layers();
    histogram();
  }

  render();
  addEventListener('resize', () => charts.forEach(c => c.resize()));
  matchMedia('(prefers-color-scheme: dark)').addEventListener('change', render);
})();
