// The place for an image, and what is to become of it.
import { useEffect, useRef, useState } from 'preact/hooks'
import { fieldOf } from '../../format/exact-object.ts'
import { type FileRule, refusalOf, typeNames } from '../../format/file-rule.ts'
import type { KindRow } from '../../format/kind-list.ts'
import { FileDrop } from '../../parts/file-drop.tsx'
import { FormField, TextField } from '../../parts/form-field.tsx'
import { SafeText } from '../../parts/safe-text.tsx'
import { SendingBar } from '../../parts/sending-bar.tsx'
import { ProblemNote } from '../../parts/states.tsx'
import { useCell } from '../../state/cell.ts'
import { mayChange, me } from '../../state/me.ts'
import { useFormats, useTexts } from '../../texts/use-texts.ts'
import { fieldsOf, formOf, keyOf, shownValue } from '../new-task/schema-form.ts'
import { readSizes, sizesText } from './sizes.ts'
import { useImageTask } from './use-image-task.ts'

const USUAL_SIZES = sizesText([[128, 128]])
const ANY: FileRule = { types: null, maxBytes: null }

/** What the kind takes, in the words of its own schema. */
const askedBy = (kind: KindRow) => {
  const fields = fieldsOf(formOf(kind.params, ['params'], undefined))
  const find = (name: string) => fields.find(({ path }) => keyOf(path) === `params.${name}`)
  const choices = (name: string) => (find(name)?.choices ?? []).map(shownValue)
  return {
    rule: find('image')?.file ?? ANY,
    fits: choices('fit'),
    usualFit: shownValue(find('fit')?.fallback ?? 'inside'),
    formats: choices('format'),
  }
}

export const ImageForm = ({ kind, made }: { kind: KindRow; made: (id: string) => void }) => {
  const [t, f, who] = [useTexts(), useFormats(), useCell(me)]
  const words = t.files
  const { rule, fits, usualFit, formats } = askedBy(kind)
  const [sizes, setSizes] = useState(USUAL_SIZES)
  const [fit, setFit] = useState(usualFit)
  const [format, setFormat] = useState('')
  const [refusal, setRefusal] = useState<string | null>(null)
  const task = useImageTask(made)
  const { upload, isSubmitting, problem, interrupted } = task
  const isBusy = upload.sending !== null || isSubmitting
  const wanted = readSizes(sizes)

  // what had the focus is gone when the file is chosen
  const place = useRef<HTMLDivElement>(null)
  useEffect(() => {
    if (isBusy && document.activeElement === document.body) place.current?.focus({ preventScroll: true })
  }, [isBusy])

  const take = (file: File, count: number): void => {
    if (!wanted || !mayChange(who)) return
    const why = refusalOf(file, rule)
    setRefusal(
      why === 'type'
        ? words.typeRefused(file.name, typeNames(rule.types ?? []))
        : why === 'size'
          ? words.sizeRefused(file.name, f.bytes(rule.maxBytes ?? 0))
          : count > 1
            ? words.onlyFirst(file.name)
            : null,
    )
    if (why === null) void task.take(file, { sizes: wanted, fit, ...(format === '' ? {} : { format }) })
  }
  const most = rule.maxBytes === null ? '' : words.upTo(f.bytes(rule.maxBytes))
  const summary = fieldOf(kind as never, 'summary')
  return (
    <div ref={place} tabIndex={-1} class="quick">
      {problem ? <ProblemNote problem={problem} /> : null}
      {refusal === null ? null : (
        <p class="note bad" role="alert">
          <SafeText text={refusal} />
        </p>
      )}
      {interrupted && !isBusy ? (
        <div class="note" role="status">
          <p>
            {words.interrupted(
              f.percent((100 * interrupted.sent) / Math.max(1, interrupted.pending.file.size)),
            )}{' '}
            <SafeText text={interrupted.pending.file.name} />
          </p>
          <button type="button" class="button" onClick={task.forget}>
            {words.forget}
          </button>
        </div>
      ) : null}
      <div class="card block">
        {isBusy ? (
          upload.sending ? (
            <SendingBar of={upload} />
          ) : (
            <p role="status">{words.submitting}</p>
          )
        ) : (
          <FileDrop
            id="image"
            label={words.chooseImage}
            hint={[typeNames(rule.types ?? []), most].filter(Boolean).join(' · ')}
            accept={rule.types?.join(',')}
            isDisabled={!mayChange(who) || wanted === null}
            describedBy="image-note"
            take={take}
          />
        )}
        <p id="image-note" class="soft small">
          {mayChange(who) ? <SafeText text={typeof summary === 'string' ? summary : ''} /> : t.frame.viewer}
        </p>
      </div>
      <details class="card block">
        <summary>
          {words.options}{' '}
          <span class="soft">
            <SafeText text={[sizes, fit, format].filter(Boolean).join(' · ')} />
          </span>
        </summary>
        <fieldset class="plain-set" disabled={isBusy || !mayChange(who)}>
          <legend class="unseen">{words.options}</legend>
          <TextField
            id="sizes"
            label={words.sizes}
            help={words.sizesHelp}
            fault={wanted === null ? words.sizesFault : null}
            value={sizes}
            change={setSizes}
            input={{ autocomplete: 'off' }}
          />
          <FormField id="fit" label={words.fit} help={words.fits[fit] ?? ''}>
            {parts => (
              <select {...parts} value={fit} onChange={event => setFit(event.currentTarget.value)}>
                {(fits.length === 0 ? [fit] : fits).map(each => (
                  <option key={each} value={each}>
                    {each}
                  </option>
                ))}
              </select>
            )}
          </FormField>
          <FormField id="format" label={words.format}>
            {parts => (
              <select {...parts} value={format} onChange={event => setFormat(event.currentTarget.value)}>
                <option value="">{words.sameFormat}</option>
                {formats.map(each => (
                  <option key={each} value={each}>
                    {each}
                  </option>
                ))}
              </select>
            )}
          </FormField>
        </fieldset>
      </details>
    </div>
  )
}
