// A parsed page for reading. All of it is strangers' text: links lead out only over http and https, and are told nothing.
import { useState } from 'preact/hooks'
import type { Json, Task } from '../../../../client/task.ts'
import { SafeText } from '../../parts/safe-text.tsx'
import { WhenAsked } from '../../parts/states.tsx'
import { get } from '../../state/api.ts'
import { useAsked } from '../../state/use-asked.ts'
import { useFormats, useTexts } from '../../texts/use-texts.ts'
import { type Fact, FactList } from '../task/fact-list.tsx'
import { isWeb, type ParsedPage, readPage } from './page-result.ts'

const FIRST = 20

const Address = ({ url, text }: { url: string; text?: string }) =>
  isWeb(url) ? (
    <a href={url} target="_blank" rel="noopener noreferrer nofollow">
      <SafeText text={text || url} />
    </a>
  ) : (
    <SafeText text={text ? `${text} (${url})` : url} />
  )

const AddressList = ({ title, all }: { title: string; all: ParsedPage['links'] }) => {
  const t = useTexts()
  const [isWhole, setWhole] = useState(false)
  if (all.length === 0) return null
  const shown = isWhole ? all : all.slice(0, FIRST)
  return (
    <>
      <h3>{title}</h3>
      <ul class="plain-list">
        {shown.map(({ url, text }, at) => (
          <li key={at}>
            <Address url={url} text={text} />
          </li>
        ))}
      </ul>
      {shown.length < all.length ? (
        <button type="button" class="bare underlined" onClick={() => setWhole(true)}>
          {t.files.page.more(all.length - shown.length)}
        </button>
      ) : null}
    </>
  )
}

const Summary = ({ page }: { page: ParsedPage }) => {
  const [t, f] = [useTexts(), useFormats()]
  const words = t.files.page
  const whole = (value: number | null): string | null => (value === null ? null : f.number(value))
  const said = (value: string | null) => (value === null ? null : <SafeText text={value} />)
  const rows: Fact[] = [
    [words.status, whole(page.status) && String(page.status)],
    [words.address, page.finalUrl === null ? null : <Address url={page.finalUrl} />],
    [
      words.redirects,
      page.redirects.length === 0 ? null : (
        <ol class="plain-list">
          {page.redirects.map(({ url, status }, at) => (
            <li key={at}>
              {status} <SafeText text={url} />
            </li>
          ))}
        </ol>
      ),
    ],
    [words.type, said(page.contentType)],
    [words.description, said(page.description)],
    [words.canonical, page.canonical === null ? null : <Address url={page.canonical} />],
    [words.language, said(page.language)],
    [words.charset, said(page.charset)],
    [words.words, whole(page.words)],
    [words.size, page.bytes === null ? null : f.bytes(page.bytes)],
    [words.took, page.totalMs === null ? null : f.duration(page.totalMs)],
  ]
  return (
    <>
      <h2 class="page-title">
        {page.title ? <SafeText text={page.title} /> : <span class="soft">{words.untitled}</span>}
      </h2>
      {page.isHtml ? null : <p class="note">{words.noHtml}</p>}
      {page.truncated === null ? null : <p class="note">{words.truncated}</p>}
      <FactList title={words.facts} rows={rows} />
      {page.headings.length === 0 ? null : (
        <>
          <h3>{words.headings(page.headings.length)}</h3>
          <ul class="plain-list headings">
            {page.headings.slice(0, 100).map(({ level, text }, at) => (
              <li key={at} class={`level-${Math.min(6, Math.max(1, level))}`}>
                <span class="soft small">h{level}</span> <SafeText text={text} />
              </li>
            ))}
          </ul>
        </>
      )}
      <AddressList title={words.links(page.links.length)} all={page.links} />
      <AddressList title={words.images(page.images.length)} all={page.images} />
    </>
  )
}

/** A large result is no part of the record. */
export const PageSummary = ({ task }: { task: Task }) => {
  const asked = useAsked(`${task.id} ${task.finishedAt}`, async signal =>
    readPage(task.result ?? (await get<Json>(`/api/task/${task.id}/result`, { signal }))),
  )
  return <WhenAsked asked={asked}>{page => <Summary page={page} />}</WhenAsked>
}
