// The kinds as GET /kinds has them, every digit of their schemas and examples kept. Pure.
import { type ExactJson, parseExact } from './exact-json.ts'
import { fieldOf, textField } from './exact-object.ts'

export interface KindRow {
  name: string
  summary: string
  /** JSON Schema. */
  params: ExactJson
  result: ExactJson
  example: ExactJson
  maxAttempts: number
  retry: { delaySeconds: number; factor: number; maxDelaySeconds: number; retryOn?: string[] } | null
  limits: { softSeconds: number | null; hardSeconds: number | null }
  maxConcurrency: number | null
  rate: string | null
  /** Missing from a server before it had them. */
  code?: string | null
}

export interface KindTroubleRow {
  name: string
  file: string
  reason: string
  roles: string[]
}

export interface KindList {
  kinds: readonly KindRow[]
  trouble: readonly KindTroubleRow[]
}

const exactKind = (kind: KindRow, exact: ExactJson | undefined): KindRow => ({
  ...kind,
  params: fieldOf(exact, 'params') ?? null,
  result: fieldOf(exact, 'result') ?? null,
  example: fieldOf(exact, 'example') ?? null,
})

/** @throws SyntaxError */
export const readKinds = (text: string): KindList => {
  const list = JSON.parse(text) as KindList
  const exact = fieldOf(parseExact(text), 'kinds')
  const byName = new Map(
    (Array.isArray(exact) ? exact : []).map(each => [textField(each, 'name'), each] as const),
  )
  return { ...list, kinds: list.kinds.map(kind => exactKind(kind, byName.get(kind.name))) }
}
