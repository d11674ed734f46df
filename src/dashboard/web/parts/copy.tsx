// Copy to the clipboard and download, for any text.
import { tell } from '../frame/toasts.tsx'
import { useTexts } from '../texts/use-texts.ts'

/** Over plain HTTP to another machine browsers have no clipboard; a selection can be copied everywhere. */
const copyText = async (text: string): Promise<void> => {
  if (navigator.clipboard) return navigator.clipboard.writeText(text)
  const area = document.createElement('textarea')
  area.value = text
  document.body.append(area)
  area.select()
  document.execCommand('copy')
  area.remove()
}

export const CopyButton = ({ text, label }: { text: string | (() => string); label?: string }) => {
  const t = useTexts()
  return (
    <button
      type="button"
      class="bare underlined"
      onClick={() =>
        copyText(typeof text === 'string' ? text : text()).then(
          () => tell(t.frame.copied, 'good'),
          (error: unknown) => tell(String(error), 'bad'),
        )
      }
    >
      {label ?? t.frame.copy}
    </button>
  )
}

/** Saves a text that the page has already. */
export const DownloadButton = ({
  text,
  name,
  type = 'text/plain',
}: {
  text: string | (() => string)
  name: string
  type?: string
}) => {
  const t = useTexts()
  const save = (): void => {
    const address = URL.createObjectURL(new Blob([typeof text === 'string' ? text : text()], { type }))
    const link = document.createElement('a')
    link.href = address
    link.download = name
    link.click()
    setTimeout(() => URL.revokeObjectURL(address), 10_000)
  }
  return (
    <button type="button" class="bare underlined" onClick={save}>
      {t.frame.download}
    </button>
  )
}
