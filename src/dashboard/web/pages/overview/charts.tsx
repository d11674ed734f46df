// The charts of the overview: what was done, how long it took, and the machine.
import type { ComponentChildren } from 'preact'
import { useMemo } from 'preact/hooks'
import { ChartCard } from '../../parts/chart-card.tsx'
import type { ChartSeries } from '../../parts/chart-props.ts'
import type { Figures } from '../../state/figures.ts'
import type { Texts } from '../../texts/texts.ts'
import { useFormats, useTexts } from '../../texts/use-texts.ts'

export const FIGURE_NAMES = [
  'started',
  'succeeded',
  'failed',
  'waitP50',
  'waitP90',
  'runP50',
  'runP90',
  'queueDepth',
  'cpu',
  'memory',
  'disk',
  'load',
] as const
export type FigureName = (typeof FIGURE_NAMES)[number]

/** All cursors of the page stand at the same time. */
const SYNC = 'overview'

const throughput = (figures: Figures<FigureName>, t: Texts): ChartSeries[] => {
  const words = t.overview.figures
  return [
    { label: words.started, values: figures.started, colour: 'soft', isDashed: true },
    { label: words.succeeded, values: figures.succeeded, colour: 'good' },
    { label: words.failed, values: figures.failed, colour: 'bad', isFilled: true },
  ]
}
const halves = (
  p50: readonly (number | null)[],
  p90: readonly (number | null)[],
  t: Texts,
): ChartSeries[] => [
  { label: t.overview.figures.p50, values: p50, colour: 'accent', isFilled: true },
  { label: t.overview.figures.p90, values: p90, colour: 'accent', isDashed: true },
]
const one = (label: string, values: readonly (number | null)[]): ChartSeries[] => [
  { label, values, colour: 'accent', isFilled: true },
]

export interface ChartsProps {
  figures: Figures<FigureName>
  /** Tables in the place of the charts. */
  isTable: boolean
}

export const WorkCharts = ({ figures, isTable }: ChartsProps) => {
  const [t, f] = [useTexts(), useFormats()]
  const words = t.overview.figures
  const { at } = figures
  // the same objects as long as nothing is new, so that nothing is drawn again
  const done = useMemo(() => throughput(figures, t), [figures, t])
  const waits = useMemo(() => halves(figures.waitP50, figures.waitP90, t), [figures, t])
  const runs = useMemo(() => halves(figures.runP50, figures.runP90, t), [figures, t])
  const number = (value: number): string => f.number(value, value < 10 ? 1 : 0)
  const seconds = (value: number): string => f.duration(value * 1000)
  const time = { at, isTable, syncKey: SYNC, height: 118, format: seconds, isDuration: true }
  return (
    <Charts label={words.work}>
      <ChartCard
        title={words.throughput}
        note={words.aMinute}
        {...time}
        series={done}
        format={number}
        isDuration={false}
      />
      <ChartCard title={words.waits} {...time} series={waits} />
      <ChartCard title={words.runs} {...time} series={runs} />
    </Charts>
  )
}

export const MachineCharts = ({ figures, isTable }: ChartsProps) => {
  const [t, f] = [useTexts(), useFormats()]
  const words = t.overview.figures
  const { at } = figures
  const series = useMemo(
    () => ({
      queueDepth: one(words.queueDepth, figures.queueDepth),
      cpu: one(words.cpu, figures.cpu),
      memory: one(words.memory, figures.memory),
      disk: one(words.disk, figures.disk),
      load: one(words.load, figures.load),
    }),
    [figures, words],
  )
  const percent = (value: number): string => f.percent(value, value > 0 && value < 10 ? 1 : 0)
  const share = { at, isTable, syncKey: SYNC, height: 84, max: 100, format: percent }
  const free = { at, isTable, syncKey: SYNC, height: 84 }
  return (
    <Charts label={words.machine} isSmall>
      <ChartCard
        {...free}
        title={words.queueDepth}
        series={series.queueDepth}
        format={value => f.number(value, value < 10 ? 1 : 0)}
      />
      <ChartCard {...share} title={words.cpu} series={series.cpu} />
      <ChartCard {...share} title={words.memory} series={series.memory} />
      <ChartCard {...share} title={words.disk} series={series.disk} />
      <ChartCard {...free} title={words.load} series={series.load} format={value => f.number(value, 2)} />
    </Charts>
  )
}

const Charts = ({
  label,
  isSmall = false,
  children,
}: {
  label: string
  isSmall?: boolean
  children: ComponentChildren
}) => (
  <section class={isSmall ? 'charts small-charts' : 'charts'} aria-label={label}>
    {children}
  </section>
)
