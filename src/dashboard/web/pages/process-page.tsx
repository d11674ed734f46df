// The last lines of a process's two logs, as text.

import { PageHead } from '../frame/page-head.tsx'
import { CopyButton, DownloadButton } from '../parts/copy.tsx'
import { SafeText } from '../parts/safe-text.tsx'
import { Empty, WhenAsked } from '../parts/states.tsx'
import { Link, useQuery } from '../router.tsx'
import { get } from '../state/api.ts'
import { useAsked } from '../state/use-asked.ts'
import { useTexts } from '../texts/use-texts.ts'

const STREAMS = ['out', 'err'] as const

interface Tail {
  lines: string[]
  more: boolean
  bytes: number | null
}

export const ProcessPage = ({ words: { name = '' } }: { words: Record<string, string> }) => {
  const t = useTexts()
  const words = t.processes
  const [query] = useQuery()
  const stream = STREAMS.find(each => each === query.get('stream')) ?? 'out'
  const path = `/logs/${encodeURIComponent(name)}/${stream}.json`
  const asked = useAsked(path, signal => get<Tail>(path, { query: { lines: 1000 }, signal }))
  return (
    <>
      <PageHead
        title={words.logOf(name)}
        note={
          <nav class="tabs" aria-label={words.columns.logs}>
            {STREAMS.map(each => (
              <Link
                key={each}
                href={`?stream=${each}`}
                {...(each === stream ? { 'aria-current': 'page' } : {})}
              >
                {each === 'out' ? words.output : words.errors}
              </Link>
            ))}
          </nav>
        }
      >
        <button type="button" class="button" onClick={asked.again}>
          {words.refresh}
        </button>
      </PageHead>
      <WhenAsked asked={asked}>
        {({ lines }) =>
          lines.length === 0 ? (
            <Empty text={words.noLog} />
          ) : (
            <section class="card block" aria-label={stream === 'out' ? words.output : words.errors}>
              <div class="block-head">
                <h2>{words.lines(lines.length)}</h2>
                <CopyButton text={() => lines.join('\n')} />
                <DownloadButton text={() => lines.join('\n')} name={`${name}.${stream}.log`} />
              </div>
              {/* biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reached by keys */}
              <pre class="code log" tabIndex={0}>
                <SafeText text={lines.join('\n')} />
              </pre>
            </section>
          )
        }
      </WhenAsked>
    </>
  )
}
