// One process above its log: how it is, what it runs, what it uses.
import { SafeText } from '../../parts/safe-text.tsx'
import { shortId } from '../../parts/short-id.ts'
import { Link } from '../../router.tsx'
import type { ProcessRow } from '../../state/answers.ts'
import { useFormats, useTexts } from '../../texts/use-texts.ts'
import { Condition } from '../processes/condition.tsx'
import { Usage } from '../processes/usage.tsx'
import { useUsage } from '../processes/use-usage.ts'

const NAMED = 8

export const ProcessCard = ({ row }: { row: ProcessRow }) => {
  const [t, f] = [useTexts(), useFormats()]
  const { running = [] } = row
  const usageOf = useUsage()
  return (
    <section class="card block process-card" aria-label={row.name}>
      <div>
        <Condition row={row} isWhole />
        {running.length === 0 ? null : (
          <p class="process-tasks">
            {t.processes.condition.runs(running.length)}{' '}
            {running.slice(0, NAMED).map(id => (
              <Link key={id} href={`/task/${encodeURIComponent(id)}`} title={id}>
                <code>
                  <SafeText text={shortId(id)} />
                </code>
              </Link>
            ))}
            {running.length > NAMED ? ` +${f.number(running.length - NAMED)}` : null}
          </p>
        )}
      </div>
      <dl class="process-usage">
        {(['cpu', 'memory'] as const).map(what => (
          <div key={what}>
            <dt>{t.processes.columns[what]}</dt>
            <dd>
              <Usage row={row} what={what} values={usageOf(row, what)} isWhole />
            </dd>
          </div>
        ))}
      </dl>
    </section>
  )
}
