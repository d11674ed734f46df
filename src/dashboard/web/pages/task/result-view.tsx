// What a task gave, or has given so far. A large result is not loaded whole: its beginning is shown, and all of it can be
// saved.
import type { Task } from '../../../../client/task.ts'
import { JsonView } from '../../parts/json-view.tsx'
import { SafeText } from '../../parts/safe-text.tsx'
import { WhenAsked } from '../../parts/states.tsx'
import { ask } from '../../state/api.ts'
import { useAsked } from '../../state/use-asked.ts'
import { useFormats, useTexts } from '../../texts/use-texts.ts'

/** Up to here a result is shown whole; of a larger one the beginning. Bytes. */
const WHOLE = 64 * 1024
const BEGINNING = 8 * 1024

interface Beginning {
  text: string
  isJson: boolean
}

const LargeResult = ({ task, path, bytes }: { task: Task; path: string; bytes: number }) => {
  const [t, f] = [useTexts(), useFormats()]
  const words = t.task
  const isWhole = bytes <= WHOLE
  const asked = useAsked<Beginning>(`${path} ${task.finishedAt}`, async signal => {
    const headers: Record<string, string> = isWhole ? {} : { Range: `bytes=0-${BEGINNING - 1}` }
    const answer = await ask('GET', path, { headers, signal })
    const isJson = (answer.headers.get('content-type') ?? '').startsWith('application/json')
    // a character may have been cut
    return { text: (await answer.text()).replace(/\ufffd$/, ''), isJson }
  })
  return (
    <WhenAsked asked={asked}>
      {({ text, isJson }) => {
        const fileName = `${task.id}.result.${isJson ? 'json' : 'txt'}`
        return isWhole ? (
          <JsonView title={words.result} text={text} isText={!isJson} fileName={fileName} />
        ) : (
          <section class="card block" aria-label={words.result}>
            <div class="block-head">
              <h2>{words.result}</h2>
              <span class="soft">{words.beginningOf(f.bytes(BEGINNING), f.bytes(bytes))}</span>
              <a href={path} download={fileName}>
                {t.frame.download}
              </a>
            </div>
            {/* biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reached by keys */}
            <pre class="code value" tabIndex={0}>
              <SafeText text={`${text}…`} />
            </pre>
          </section>
        )
      }}
    </WhenAsked>
  )
}

/** @param path where the server has the whole result */
export const ResultView = ({ task, path }: { task: Task; path: string }) => {
  const words = useTexts().task
  if (task.resultBytes !== null) return <LargeResult task={task} path={path} bytes={task.resultBytes} />
  if (task.result === null && task.status !== 'SUCCESS') return null
  const isText = typeof task.result === 'string'
  return (
    <JsonView
      title={task.status === 'SUCCESS' ? words.result : words.partial}
      text={isText ? (task.result as string) : JSON.stringify(task.result)}
      isText={isText}
      fileName={`${task.id}.result.${isText ? 'txt' : 'json'}`}
    />
  )
}
