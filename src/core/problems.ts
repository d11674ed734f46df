// What a schema finds wrong, field by field: as data for programs, and in words. Pure.
import type { z } from 'zod'

export interface FieldProblem {
  /** The keys that lead to the field, joined by dots; '' for the whole. */
  path: string
  problem: string
}

type Findings = { readonly issues: readonly z.core.$ZodIssue[] }

/** @param root the name of what was checked, where paths are to begin with it */
export const problemsOf = ({ issues }: Findings, root?: string): FieldProblem[] =>
  issues.map(({ path, message }) => ({
    path: [...(root === undefined ? [] : [root]), ...path.map(String)].join('.'),
    problem: message,
  }))

/** @param whole what the whole is called; left out: its problems stand without a name */
export const inWords = (problems: readonly FieldProblem[], whole = ''): string =>
  problems
    .map(({ path, problem }) => [path || whole, problem].filter(text => text !== '').join(': '))
    .join('; ')

/** The first problem alone. */
export const firstInWords = (found: Findings, whole: string): string =>
  inWords(problemsOf(found).slice(0, 1), whole)
