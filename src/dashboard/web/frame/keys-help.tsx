// The list of keys, under `?`.
import { useEffect, useRef } from 'preact/hooks'
import { createCell, useCell } from '../state/cell.ts'
import { keysOn } from '../state/preferences.ts'
import { useTexts } from '../texts/use-texts.ts'
import { type Key, keyMaps } from './keys.ts'

const shown = createCell(false)

export const showKeys = (): void => shown.set(true)

const List = ({ title, keys }: { title: string; keys: readonly [string, Key][] }) =>
  keys.length === 0 ? null : (
    <>
      <h3>{title}</h3>
      <dl class="keys">
        {keys.map(([name, { label }]) => (
          <div key={name}>
            <dt>
              {name.split(' ').map(part => (
                <kbd key={part}>{part}</kbd>
              ))}
            </dt>
            <dd>{label}</dd>
          </div>
        ))}
      </dl>
    </>
  )

export const KeysHelp = () => {
  const [isShown, t, maps, isOn] = [useCell(shown), useTexts(), useCell(keyMaps), useCell(keysOn)]
  const dialog = useRef<HTMLDialogElement>(null)
  useEffect(() => {
    if (isShown && !dialog.current?.open) dialog.current?.showModal()
  }, [isShown])
  if (!isShown) return null
  const all = maps.flatMap(map =>
    Object.keys(map).flatMap((name): [string, Key][] => {
      const key = map[name]
      return key ? [[name, key]] : []
    }),
  )
  return (
    <dialog
      ref={dialog}
      class="dialog wide"
      aria-labelledby="keys-title"
      onClose={() => shown.set(false)}
      onKeyDown={event => {
        if (event.key === '?') event.currentTarget.close()
      }}
    >
      <h2 id="keys-title">{t.keys.title}</h2>
      <List title={t.keys.here} keys={all.filter(([, { scope }]) => scope === undefined)} />
      <List title={t.keys.everywhere} keys={all.filter(([, { scope }]) => scope === 'everywhere')} />
      <p>
        <label class="check">
          <input type="checkbox" checked={isOn} onChange={() => keysOn.set(!isOn)} /> {t.keys.on}
        </label>{' '}
        <span class="soft">{t.keys.note}</span>
      </p>
      <div class="dialog-buttons">
        <button type="button" class="button" autofocus onClick={() => dialog.current?.close()}>
          {t.frame.close}
        </button>
      </div>
    </dialog>
  )
}
