// JSON for reading: indented, every digit as it was, long ones cut until the reader asks. With copy and download.
import { useMemo, useState } from 'preact/hooks'
import { parseExact, printExact } from '../format/exact-json.ts'
import { useTexts } from '../texts/use-texts.ts'
import { CopyButton, DownloadButton } from './copy.tsx'
import { SafeText } from './safe-text.tsx'

const LINES = 200

/** What is no JSON is shown as it is. */
const pretty = (text: string): string => {
  try {
    return printExact(parseExact(text))
  } catch {
    return text
  }
}

export interface JsonViewProps {
  title: string
  /** JSON as it came. */
  text: string
  /** It is no JSON but a text, and shown as it is. */
  isText?: boolean
  /** The name of the file that is saved. */
  fileName: string
}

export const JsonView = ({ title, text, isText = false, fileName }: JsonViewProps) => {
  const t = useTexts()
  const [isWhole, setWhole] = useState(false)
  const lines = useMemo(() => (isText ? text : pretty(text)).split('\n'), [text, isText])
  const rest = lines.length - LINES
  const shown = isWhole || rest <= 0 ? lines : lines.slice(0, LINES)
  return (
    <section class="card block" aria-label={title}>
      <div class="block-head">
        <h2>{title}</h2>
        <CopyButton text={() => lines.join('\n')} />
        <DownloadButton
          text={() => lines.join('\n')}
          name={fileName}
          type={isText ? 'text/plain' : 'application/json'}
        />
      </div>
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reached by keys */}
      <pre class="code" tabIndex={0}>
        <SafeText text={shown.join('\n')} />
      </pre>
      {shown.length < lines.length ? (
        <button type="button" class="bare underlined" onClick={() => setWhole(true)}>
          {t.frame.more(rest)}
        </button>
      ) : null}
    </section>
  )
}
