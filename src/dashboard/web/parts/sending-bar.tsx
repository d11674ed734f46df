// A file under way: how far it is, that its connection is broken, and the buttons for both.
import type { UseSending } from '../state/use-sending.ts'
import { useFormats, useTexts } from '../texts/use-texts.ts'
import { Progress } from './progress.tsx'
import { SafeText } from './safe-text.tsx'

export const SendingBar = ({ of }: { of: UseSending }) => {
  const [t, f] = [useTexts(), useFormats()]
  const words = t.files
  const { sending, tryNow, stop } = of
  if (!sending) return null
  const { name, bytes, sent, broken } = sending
  const isSent = bytes > 0 && sent >= bytes
  return (
    <div class="sending">
      <p role="status">
        {broken ? words.broken : isSent ? words.checking : words.sending} <SafeText text={name} />
      </p>
      <Progress
        percent={bytes === 0 ? 100 : (100 * sent) / bytes}
        note={words.sentOf(f.bytes(sent), f.bytes(bytes))}
      />
      {broken ? (
        <p class="soft">
          {t.problems[broken.code] ?? <SafeText text={broken.message} />} {words.goesOn}
        </p>
      ) : null}
      <p class="row-actions">
        {broken ? (
          <button type="button" class="button small" onClick={tryNow}>
            {words.tryNow}
          </button>
        ) : null}
        <button type="button" class="button small" onClick={stop}>
          {words.stop}
        </button>
      </p>
    </div>
  )
}
