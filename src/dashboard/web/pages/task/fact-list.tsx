// A list of names and values about a task. A value of null leaves its name out.
import type { ComponentChildren } from 'preact'
import { RelativeTime, Time } from '../../parts/time.tsx'

export type Fact = [name: string, value: ComponentChildren]

/** A moment, and how long ago. */
export const When = ({ at }: { at: string }) => (
  <>
    <Time at={at} />{' '}
    <span class="soft">
      <RelativeTime at={at} />
    </span>
  </>
)

export const FactList = ({ title, rows }: { title: string; rows: readonly Fact[] }) => (
  <section class="card block" aria-label={title}>
    <div class="block-head">
      <h2>{title}</h2>
    </div>
    <dl class="facts">
      {rows.map(([name, value]) =>
        value === null ? null : (
          <div key={name}>
            <dt>{name}</dt>
            <dd>{value}</dd>
          </div>
        ),
      )}
    </dl>
  </section>
)
