/** Counters, gauges and histograms in Prometheus' text format, nothing more. @module */

/** Label values by label name; every sample of a metric names the same labels. */
export type Labels = Readonly<Record<string, string>>

/** One value of a metric. */
export type Sample = readonly [labels: Labels, value: number]

export interface Counter {
  /** Adds to the sample with these labels; the step must not be negative. */
  increment(labels?: Labels, step?: number): void
}

export interface Gauge {
  set(value: number, labels?: Labels): void
}

export interface Histogram {
  /** Puts one observation (in the metric's unit, seconds for times) into its bucket. */
  observe(value: number, labels?: Labels): void
}

/** Seconds, from half a millisecond to ten seconds. */
export const LATENCY_BUCKETS: readonly number[] = [
  0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10,
]

/** All metrics of a process. Names are unique; asking for one twice is a mistake of the program. */
export interface Metrics {
  counter(name: string, help: string): Counter
  gauge(name: string, help: string): Gauge
  /** A gauge whose samples are asked for when the metrics are read. */
  observedGauge(name: string, help: string, read: () => readonly Sample[]): void
  histogram(name: string, help: string, buckets?: readonly number[]): Histogram
  /** The text exposition format, version 0.0.4. */
  render(): string
}

export function createMetrics(): Metrics {
  const families = new Map<string, () => string[]>()
  const add = (name: string, help: string, type: string, lines: () => string[]): void => {
    if (families.has(name)) throw new TypeError(`metric ${name} exists already`)
    families.set(name, () => [
      `# HELP ${name} ${help.replace(/\\/g, '\\\\').replace(/\n/g, '\\n')}`,
      `# TYPE ${name} ${type}`,
      ...lines(),
    ])
  }
  return {
    counter(name, help) {
      const samples = new Map<string, number>()
      const texts = new LabelTexts()
      add(name, help, 'counter', () => sampleLines(name, samples))
      return {
        increment: (labels = {}, step = 1) => {
          bump(samples, texts.of(labels), Math.max(0, step))
        },
      }
    },
    gauge(name, help) {
      const samples = new Map<string, number>()
      add(name, help, 'gauge', () => sampleLines(name, samples))
      return {
        set: (value, labels = {}) => {
          samples.set(labelText(labels), value)
        },
      }
    },
    observedGauge(name, help, read) {
      add(name, help, 'gauge', () =>
        read().map(([labels, value]) => `${name}${braces(labelText(labels))} ${number(value)}`),
      )
    },
    histogram(name, help, buckets = LATENCY_BUCKETS) {
      const samples = new Map<string, HistogramSample>()
      const texts = new LabelTexts()
      add(name, help, 'histogram', () =>
        [...samples].flatMap(([labels, sample]) => histogramLines(name, labels, sample, buckets)),
      )
      return {
        observe: (value, labels = {}) => {
          observe(sampleOf(samples, texts.of(labels), buckets.length), value, buckets)
        },
      }
    },
    render: () => [...families.values()].flatMap((lines) => lines()).join('\n') + '\n',
  }
}

interface HistogramSample {
  /** Observations a bucket, not cumulated; the last one is beyond every bound. */
  readonly counts: number[]
  sum: number
}

function sampleOf(samples: Map<string, HistogramSample>, labels: string, bounds: number): HistogramSample {
  let sample = samples.get(labels)
  if (sample === undefined) {
    sample = { counts: new Array<number>(bounds + 1).fill(0), sum: 0 }
    samples.set(labels, sample)
  }
  return sample
}

function observe(sample: HistogramSample, value: number, buckets: readonly number[]): void {
  const found = buckets.findIndex((bound) => value <= bound)
  const index = found < 0 ? buckets.length : found
  sample.counts[index] = (sample.counts[index] ?? 0) + 1
  sample.sum += value
}

function histogramLines(name: string, labels: string, sample: HistogramSample, buckets: readonly number[]): string[] {
  const lines: string[] = []
  let cumulated = 0
  const withBound = (bound: string): string => `{${labels === '' ? '' : `${labels},`}le="${bound}"}`
  for (const [index, count] of sample.counts.entries()) {
    cumulated += count
    const bound = buckets[index]
    lines.push(`${name}_bucket${withBound(bound === undefined ? '+Inf' : number(bound))} ${String(cumulated)}`)
  }
  lines.push(
    `${name}_sum${braces(labels)} ${number(sample.sum)}`,
    `${name}_count${braces(labels)} ${String(cumulated)}`,
  )
  return lines
}

function bump(samples: Map<string, number>, labels: string, step: number): void {
  samples.set(labels, (samples.get(labels) ?? 0) + step)
}

function sampleLines(name: string, samples: ReadonlyMap<string, number>): string[] {
  return [...samples].map(([labels, value]) => `${name}${braces(labels)} ${number(value)}`)
}

/** Labels as text, each made once: there are few, and they are counted again and again. */
class LabelTexts {
  /** Of the first sample, and so of all. */
  #names: readonly string[] | undefined
  readonly #root: Branch = { children: new Map(), text: undefined }

  of(labels: Labels): string {
    let branch = this.#root
    for (const name of (this.#names ??= Object.keys(labels).sort())) {
      const value = labels[name] ?? ''
      let next = branch.children.get(value)
      if (next === undefined) branch.children.set(value, (next = { children: new Map(), text: undefined }))
      branch = next
    }
    return (branch.text ??= labelText(labels))
  }
}

/** The labels with one value more. */
interface Branch {
  readonly children: Map<string, Branch>
  text: string | undefined
}

function labelText(labels: Labels): string {
  const parts: string[] = []
  for (const name of Object.keys(labels).sort()) parts.push(`${name}="${escapeLabel(labels[name] ?? '')}"`)
  return parts.join(',')
}

function escapeLabel(value: string): string {
  return value.replace(/\\/g, '\\\\').replace(/"/g, '\\"').replace(/\n/g, '\\n')
}

function braces(labels: string): string {
  return labels === '' ? '' : `{${labels}}`
}

function number(value: number): string {
  if (value === Infinity) return '+Inf'
  return value === -Infinity ? '-Inf' : String(value)
}
