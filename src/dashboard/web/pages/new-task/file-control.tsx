// A field for a file: it is sent as soon as it is chosen, and the params name what the server has of it.
import { useState } from 'preact/hooks'
import type { ExactJson } from '../../format/exact-json.ts'
import { type FileRule, refusalOf, typeNames, uploadIn } from '../../format/file-rule.ts'
import { FileDrop } from '../../parts/file-drop.tsx'
import { SafeText } from '../../parts/safe-text.tsx'
import { SendingBar } from '../../parts/sending-bar.tsx'
import { type ProblemError, problemIn } from '../../state/api.ts'
import { useCell } from '../../state/cell.ts'
import { mayChange, me } from '../../state/me.ts'
import { dropUpload, getUpload } from '../../state/send-file.ts'
import { useAsked } from '../../state/use-asked.ts'
import { useSending } from '../../state/use-sending.ts'
import { useFormats, useTexts } from '../../texts/use-texts.ts'

export interface FileControlProps {
  id: string
  rule: FileRule
  isInvalid: boolean
  value: ExactJson | undefined
  /** Undefined: there is no file. */
  put: (value: ExactJson | undefined) => void
}

/** What has been sent from here, over a change of the view. What a task names by now, the server keeps all the same. */
const own = new Set<string>()

/** What the server has under the id. Another task's upload may be gone meanwhile. */
const Taken = ({ upload }: { upload: string }) => {
  const [t, f] = [useTexts(), useFormats()]
  const { value, problem } = useAsked(`upload ${upload}`, signal => getUpload(upload, signal))
  if (problem)
    return (
      <span class="field-fault" role="alert">
        {problem.status === 404 || problem.code === 'BAD_ID' ? (
          t.problems.UPLOAD_NOT_FOUND
        ) : (
          <SafeText text={problem.message} />
        )}
      </span>
    )
  return (
    <span role="status">
      {value ? (
        <>
          <SafeText text={value.name ?? value.id} />{' '}
          <span class="soft">
            {[value.type, f.bytes(value.bytes)].filter(part => part !== null).join(' · ')}
          </span>
        </>
      ) : null}
    </span>
  )
}

export const FileControl = ({ id, rule, isInvalid, value, put }: FileControlProps) => {
  const [t, f, who] = [useTexts(), useFormats(), useCell(me)]
  const words = t.files
  const of = useSending()
  const [refusal, setRefusal] = useState<string | null>(null)
  const [problem, setProblem] = useState<ProblemError | null>(null)
  const upload = uploadIn(value)

  const take = async (file: File): Promise<void> => {
    const why = refusalOf(file, rule)
    setProblem(null)
    setRefusal(
      why === 'type'
        ? words.typeRefused(file.name, typeNames(rule.types ?? []))
        : why === 'size'
          ? words.sizeRefused(file.name, f.bytes(rule.maxBytes ?? 0))
          : null,
    )
    if (why !== null) return
    try {
      const note = await of.send(file)
      if (!note) return
      own.add(note.id)
      put({ $upload: note.id })
    } catch (error) {
      setProblem(problemIn(error))
    }
  }
  const drop = (): void => {
    if (upload !== null && own.delete(upload)) dropUpload(upload)
    put(undefined)
  }
  if (of.sending) return <SendingBar of={of} />
  if (upload !== null)
    return (
      <p class="taken">
        <Taken key={upload} upload={upload} />{' '}
        <button type="button" id={id} class="button small" aria-describedby={`${id}-help`} onClick={drop}>
          {words.removeFile}
        </button>
      </p>
    )
  const most = rule.maxBytes === null ? '' : words.upTo(f.bytes(rule.maxBytes))
  return (
    <>
      <FileDrop
        id={id}
        label={words.chooseFile}
        hint={[rule.types ? typeNames(rule.types) : '', most].filter(Boolean).join(' · ')}
        accept={rule.types?.join(',')}
        isDisabled={!mayChange(who)}
        isInvalid={isInvalid || refusal !== null}
        describedBy={`${id}-help`}
        take={file => void take(file)}
      />
      <span class="field-fault" role="alert">
        {refusal === null ? null : <SafeText text={refusal} />}
        {problem === null ? null : (
          <>
            {t.problems[problem.code] ?? ''} <SafeText text={problem.message} />
          </>
        )}
      </span>
    </>
  )
}
