// A schema's findings, field by field: as data for programs, and as text. Pure.
import type { z } from 'zod'

export interface FieldProblem {
  /** The keys that lead to the field, joined by dots; '' for the whole value. */
  path: string
  problem: string
}

type Findings = { readonly issues: readonly z.core.$ZodIssue[] }

/** @param root what paths begin with, if anything */
export const problemsOf = ({ issues }: Findings, root?: string): FieldProblem[] =>
  issues.map(({ path, message }) => ({
    path: [...(root === undefined ? [] : [root]), ...path.map(String)].join('.'),
    problem: message,
  }))

/** @param whole what to call the whole value; left out: its problems have no name */
export const formatProblems = (problems: readonly FieldProblem[], whole = ''): string =>
  problems
    .map(({ path, problem }) => [path || whole, problem].filter(text => text !== '').join(': '))
    .join('; ')

/** Only the first problem. */
export const formatFirstProblem = (found: Findings, whole: string): string =>
  formatProblems(problemsOf(found).slice(0, 1), whole)
