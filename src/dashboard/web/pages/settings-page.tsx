// The settings in effect, those that somebody changed first.
import type { ComponentChildren } from 'preact'
import { useMemo } from 'preact/hooks'
import { PageHead } from '../frame/page-head.tsx'
import { SafeText } from '../parts/safe-text.tsx'
import { Empty, WhenAsked } from '../parts/states.tsx'
import { type Column, Table } from '../parts/table.tsx'
import { useQuery } from '../router.tsx'
import { get } from '../state/api.ts'
import { useAsked } from '../state/use-asked.ts'
import { useTexts } from '../texts/use-texts.ts'

interface SettingRow {
  name: string
  value: string
  default: string
  source: string
  meaning: string
  isSecret: boolean
}

const isChanged = ({ source }: SettingRow): boolean => source !== 'default'

/** The docs' own marks: code in backticks, and links, of which the words stay. */
const Meaning = ({ text }: { text: string }) => (
  <>
    {text
      .replace(/\[([^\]]*)\]\([^)]*\)/g, '$1')
      .split('`')
      .map((part, at): ComponentChildren => (at % 2 === 1 ? <code key={at}>{part}</code> : part))}
  </>
)

const fits = ({ name, value, meaning }: SettingRow, text: string): boolean =>
  [name, value, meaning].some(each => each.toLowerCase().includes(text))

const Value = ({ text, isQuiet = false }: { text: string; isQuiet?: boolean }) => {
  const t = useTexts()
  if (text === '') return <span class="soft">{t.settings.unset}</span>
  return (
    <code class={isQuiet ? 'soft' : ''}>
      <SafeText text={text} />
    </code>
  )
}

export const SettingsPage = () => {
  const t = useTexts()
  const words = t.settings
  const [query, change] = useQuery()
  const text = query.get('q') ?? ''
  const asked = useAsked('settings', async signal => {
    const { settings } = await get<{ settings: SettingRow[] }>('/settings.json', { signal })
    return settings.toSorted((a, b) => Number(isChanged(b)) - Number(isChanged(a)))
  })
  const columns = useMemo<Column<SettingRow>[]>(
    () => [
      {
        key: 'name',
        head: words.columns.name,
        isHead: true,
        cell: ({ name }) => <code class="setting-name">{name}</code>,
      },
      {
        key: 'value',
        head: words.columns.value,
        isWrapped: true,
        cell: ({ value, isSecret }) => (
          <>
            <Value text={value} />{' '}
            {isSecret && value !== '' ? <small class="soft">{words.secret}</small> : null}
          </>
        ),
      },
      {
        key: 'usual',
        head: words.columns.usual,
        isWrapped: true,
        isMinor: true,
        cell: ({ default: usual }) => <Value text={usual} isQuiet />,
      },
      {
        key: 'source',
        head: words.columns.source,
        isMinor: true,
        cell: row =>
          isChanged(row) ? (
            (words.sources[row.source] ?? row.source)
          ) : (
            <span class="soft">{words.sources[row.source] ?? row.source}</span>
          ),
      },
      {
        key: 'meaning',
        head: words.columns.meaning,
        isWrapped: true,
        cell: ({ meaning }) => (
          <span lang="en">
            <Meaning text={meaning} />
          </span>
        ),
      },
    ],
    [words],
  )
  const rows = asked.value ?? []
  return (
    <>
      <PageHead
        title={t.menu.settings}
        note={asked.value ? words.summary(rows.filter(isChanged).length, rows.length) : undefined}
      >
        <input
          type="search"
          class="page-filter"
          aria-label={words.filter}
          placeholder={words.placeholder}
          value={text}
          onInput={event => change({ q: event.currentTarget.value || null }, { push: false })}
        />
      </PageHead>
      <p class="soft page-line">{words.note}</p>
      <WhenAsked asked={asked}>
        {found => {
          const shown = found.filter(row => fits(row, text.trim().toLowerCase()))
          return shown.length === 0 ? (
            <Empty text={words.none} />
          ) : (
            <div class="settings stacked">
              <Table label={words.table} columns={columns} rows={shown} idOf={({ name }) => name} />
            </div>
          )
        }}
      </WhenAsked>
    </>
  )
}
