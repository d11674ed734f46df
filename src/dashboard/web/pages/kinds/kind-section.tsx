// One kind: what it takes and gives, how it is limited, and how it does.
import type { ComponentChildren } from 'preact'
import { printExact } from '../../format/exact-json.ts'
import type { KindRow } from '../../format/kind-list.ts'
import { PageHead } from '../../frame/page-head.tsx'
import { JsonView } from '../../parts/json-view.tsx'
import { SafeText } from '../../parts/safe-text.tsx'
import { type Column, Table } from '../../parts/table.tsx'
import { Link } from '../../router.tsx'
import type { KindFigures } from '../../state/answers.ts'
import { useMay } from '../../state/rights.ts'
import type { Texts } from '../../texts/texts.ts'
import { useFormats, useTexts } from '../../texts/use-texts.ts'
import { type Field, fieldsOf, formOf, keyOf, shownValue } from '../new-task/schema-form.ts'
import { failuresAddress, figureOf } from './kind-figures.ts'

/** The schema's own words for what a field takes, with its bounds. */
const typeOf = (field: Field, words: Texts['kinds']): string => {
  const { control, item, choices, least, most, takesNull } = field
  const plain: string =
    control === 'list' && item
      ? words.listOf(typeOf(item, words))
      : control === 'choice'
        ? words.oneOf(choices.map(shownValue).join(', '))
        : control === 'json'
          ? words.anyJson
          : ({ text: 'string', switch: 'boolean' }[control as string] ?? control)
  const bounds = least === null && most === null ? '' : ` ${least ?? '…'} – ${most ?? '…'}`
  return `${plain}${bounds}${takesNull ? ', null' : ''}`
}

const Params = ({ kind }: { kind: KindRow }) => {
  const t = useTexts()
  const words = t.kinds
  const fields = fieldsOf(formOf(kind.params, [], undefined))
  const columns: Column<Field>[] = [
    {
      key: 'name',
      head: words.fields.name,
      isHead: true,
      cell: ({ path }) => (
        <code>
          <SafeText text={path.length === 0 ? '*' : keyOf(path)} />
        </code>
      ),
    },
    {
      key: 'type',
      head: words.fields.type,
      isWrapped: true,
      cell: field => <SafeText text={typeOf(field, words)} />,
    },
    {
      key: 'needed',
      head: words.fields.needed,
      isWrapped: true,
      cell: ({ isRequired, fallback }) =>
        isRequired ? (
          words.needed
        ) : (
          <span class="soft">
            {fallback === undefined ? (
              t.newTask.optional
            ) : (
              <SafeText text={t.newTask.usual(shownValue(fallback))} />
            )}
          </span>
        ),
    },
    {
      key: 'meaning',
      head: words.fields.meaning,
      isWrapped: true,
      cell: ({ help }) => (help === null ? '' : <SafeText text={help} />),
    },
  ]
  return (
    <>
      <h2 class="part-head">{words.params}</h2>
      <div class="stacked">
        <Table label={words.params} columns={columns} rows={fields} idOf={({ path }) => keyOf(path)} />
      </div>
    </>
  )
}

const Fact = ({ name, children }: { name: string; children: ComponentChildren }) => (
  <div>
    <dt>{name}</dt>
    <dd>{children}</dd>
  </div>
)

const Facts = ({ kind, figures }: { kind: KindRow; figures: KindFigures | null }) => {
  const [t, f] = [useTexts(), useFormats()]
  const words = t.kinds.facts
  const figure = figureOf(figures, kind.name)
  const seconds = (value: number | null): string => (value === null ? words.none : f.duration(value * 1000))
  const { retry, rate, limits } = kind
  const [, count = '', unit = ''] = /^(\d+)\/([smh])$/.exec(rate ?? '') ?? []
  return (
    <dl class="card facts">
      {useMay('look') ? (
        <>
          <Fact name={words.now}>
            {figure && figure.waiting !== null && figure.running !== null
              ? words.nowWords(f.number(figure.waiting), f.number(figure.running))
              : '–'}
          </Fact>
          <Fact name={words.failures}>
            {figure === null || figure.failures === null || figures === null ? (
              '–'
            ) : figure.failures === 0 ? (
              '0'
            ) : (
              <Link class="failed-link" href={failuresAddress(kind.name, figures.since)}>
                {f.number(figure.failures)}
              </Link>
            )}
          </Fact>
          <Fact name={words.runs}>
            {figure?.runs
              ? words.runWords(seconds(figure.runs.p50), seconds(figure.runs.p90), figure.runs.count)
              : words.noRuns}
          </Fact>
        </>
      ) : null}
      <Fact name={words.maxConcurrency}>
        {kind.maxConcurrency === null ? words.none : f.number(kind.maxConcurrency)}
      </Fact>
      <Fact name={words.rate}>
        {rate === null ? words.none : unit === '' ? rate : words.rateWords(count, words.units[unit] ?? unit)}
      </Fact>
      <Fact name={words.attempts}>{f.number(kind.maxAttempts)}</Fact>
      <Fact name={words.retry}>
        {retry
          ? words.retryWords(
              seconds(retry.delaySeconds),
              f.number(retry.factor, 1),
              seconds(retry.maxDelaySeconds),
            )
          : words.noRetry}
        {retry?.retryOn ? (
          <>
            {', '}
            <SafeText text={words.retryOn(retry.retryOn.join(', '))} />
          </>
        ) : null}
      </Fact>
      <Fact name={words.soft}>{seconds(limits.softSeconds)}</Fact>
      <Fact name={words.hard}>{seconds(limits.hardSeconds)}</Fact>
      <Fact name={words.code}>
        {kind.code ? (
          <code title={words.codeHint}>
            <SafeText text={kind.code} />
          </code>
        ) : (
          words.none
        )}
      </Fact>
    </dl>
  )
}

export const KindSection = ({ kind, figures }: { kind: KindRow; figures: KindFigures | null }) => {
  const t = useTexts()
  const words = t.kinds
  return (
    <>
      <PageHead title={kind.name} note={<SafeText text={kind.summary} />}>
        <Link class="button" href="/kinds">
          {words.all}
        </Link>
        <Link class="button primary" href={`/new?${new URLSearchParams({ kind: kind.name })}`}>
          {words.newTask}
        </Link>
      </PageHead>
      <Facts kind={kind} figures={figures} />
      <Params kind={kind} />
      <div class="columns">
        <JsonView
          title={words.example}
          text={printExact(kind.example)}
          fileName={`${kind.name}.example.json`}
        />
        <JsonView
          title={words.resultSchema}
          text={printExact(kind.result)}
          fileName={`${kind.name}.result.json`}
        />
      </div>
      <JsonView
        title={words.paramsSchema}
        text={printExact(kind.params)}
        fileName={`${kind.name}.params.json`}
      />
    </>
  )
}
