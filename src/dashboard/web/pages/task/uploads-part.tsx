// The files that a task's params name, while they are still there.
import { useMemo } from 'preact/hooks'
import type { ExactJson } from '../../format/exact-json.ts'
import { uploadsIn } from '../../format/file-rule.ts'
import { SafeText } from '../../parts/safe-text.tsx'
import { shortId } from '../../parts/short-id.ts'
import { getUpload } from '../../state/send-file.ts'
import { useAsked } from '../../state/use-asked.ts'
import { useFormats, useTexts } from '../../texts/use-texts.ts'

const SHOWN = 20

const Upload = ({ id }: { id: string }) => {
  const [t, f] = [useTexts(), useFormats()]
  const { value, problem } = useAsked(`upload ${id}`, signal => getUpload(id, signal))
  if (!value)
    return (
      <li>
        <code title={id}>{shortId(id)}</code>{' '}
        {problem ? (
          <span class="soft">{problem.status === 404 ? t.task.gone : (t.problems[problem.code] ?? '')}</span>
        ) : null}
      </li>
    )
  const name = value.name ?? id
  return (
    <li>
      <a href={`/api/uploads/${id}/content`} download={name}>
        <SafeText text={name} />
      </a>
      <span class="soft small">
        {value.type === null ? '' : <SafeText text={`${value.type} · `} />}
        {f.bytes(value.bytes)}
      </span>
    </li>
  )
}

export const Uploads = ({ params }: { params: unknown }) => {
  const words = useTexts().files
  const ids = useMemo(() => uploadsIn(params as ExactJson), [params])
  if (ids.length === 0) return null
  return (
    <section class="card block" aria-label={words.uploads}>
      <div class="block-head">
        <h2>{words.uploads}</h2>
      </div>
      <ul class="children">
        {ids.slice(0, SHOWN).map(id => (
          <Upload key={id} id={id} />
        ))}
      </ul>
      {ids.length > SHOWN ? <p class="soft">{words.moreUploads(ids.length - SHOWN)}</p> : null}
    </section>
  )
}
