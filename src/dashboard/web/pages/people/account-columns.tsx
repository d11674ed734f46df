// The rows of the accounts, and what an admin does with each: role, disable, delete. Each asks first.
import { useMemo } from 'preact/hooks'
import { doIt } from '../../frame/do-it.ts'
import { askReader, askWithChoice } from '../../frame/question.tsx'
import { StateBadge } from '../../parts/badge.tsx'
import { SafeText } from '../../parts/safe-text.tsx'
import { shortId } from '../../parts/short-id.ts'
import type { Column } from '../../parts/table.tsx'
import { Time } from '../../parts/time.tsx'
import { change, remove } from '../../state/api.ts'
import type { Texts } from '../../texts/texts.ts'
import { useTexts } from '../../texts/use-texts.ts'

export interface AccountRow {
  id: string
  name: string
  role: string
  /** Null: by the start of the server. */
  createdAt: string | null
  disabledAt: string | null
  signIn: readonly ('password' | 'oidc')[]
}

export const ROLES = ['viewer', 'user', 'operator', 'admin'] as const

/** Their ids are names; an account's own is a UUID. */
const isBuiltIn = ({ id }: AccountRow): boolean => id === 'operator' || id === 'viewer'
const addressOf = ({ id }: AccountRow): string => `/api/accounts/${encodeURIComponent(id)}`

export interface AccountColumnsOptions {
  /** The id of the reader's own account. */
  self: string | null
  again: () => void
  givePassword: (row: AccountRow) => void
}

const createActs = (t: Texts, again: () => void) => {
  const words = t.people
  const doAll = async (act: () => Promise<unknown>, good: string): Promise<void> => {
    await doIt(t, act, good)
    again()
  }
  const alter = (row: AccountRow, changes: object) =>
    doAll(() => change('PATCH', addressOf(row), changes), words.changed(row.name))
  return {
    enable: (row: AccountRow) => alter(row, { disabled: false }),
    async disable(row: AccountRow) {
      const question = {
        title: words.askDisable(row.name),
        text: words.askDisableText,
        confirm: words.disable,
      }
      if (await askReader({ ...question, isDanger: true })) await alter(row, { disabled: true })
    },
    async give(row: AccountRow, role: string) {
      const title = words.askRole(row.name, t.roles[role] ?? role)
      if (await askReader({ title, text: words.askRoleText, confirm: words.change }))
        await alter(row, { role })
    },
    async remove(row: AccountRow) {
      const withTasks = await askWithChoice({
        title: words.askDelete(row.name),
        text: words.askDeleteText,
        choice: words.deleteTasks,
        confirm: words.delete,
        isDanger: true,
      })
      if (withTasks === null) return
      const query = { tasks: withTasks ? 'remove' : 'keep' }
      await doAll(() => remove(addressOf(row), { query }), words.deleted(row.name))
    },
  }
}

export const useAccountColumns = ({
  self,
  again,
  givePassword,
}: AccountColumnsOptions): Column<AccountRow>[] => {
  const t = useTexts()
  return useMemo(() => {
    const words = t.people
    const acts = createActs(t, again)
    /** Nobody locks out themselves by a slip, and nobody the installation's own. */
    const isFixed = (row: AccountRow): boolean => isBuiltIn(row) || row.id === self
    const columns: Column<AccountRow>[] = [
      {
        key: 'name',
        head: words.columns.name,
        isHead: true,
        cell: row => (
          <>
            <SafeText text={row.name} />{' '}
            <span class="soft">
              {[
                ...(row.id === self ? [words.you] : []),
                ...(isBuiltIn(row) ? [words.builtIn] : []),
                ...(row.signIn.includes('oidc') ? [words.byProvider] : []),
              ].join(' · ')}
            </span>
          </>
        ),
      },
      {
        key: 'role',
        head: words.columns.role,
        cell: row =>
          isFixed(row) ? (
            (t.roles[row.role] ?? row.role)
          ) : (
            <select
              aria-label={words.roleOf(row.name)}
              value={row.role}
              onChange={event => {
                const field = event.currentTarget
                const role = field.value
                // it shows what is, until it is done
                field.value = row.role
                void acts.give(row, role)
              }}
            >
              {ROLES.map(role => (
                <option key={role} value={role}>
                  {t.roles[role]}
                </option>
              ))}
            </select>
          ),
      },
      {
        key: 'state',
        head: words.columns.state,
        cell: ({ disabledAt }) =>
          disabledAt === null ? (
            <StateBadge tone="good">{words.active}</StateBadge>
          ) : (
            <StateBadge tone="rest">{words.disabled}</StateBadge>
          ),
      },
      {
        key: 'created',
        head: words.columns.created,
        isMinor: true,
        cell: ({ createdAt }) => (createdAt === null ? '–' : <Time at={createdAt} />),
      },
      {
        key: 'id',
        head: words.columns.id,
        isMinor: true,
        cell: row => (isBuiltIn(row) ? <code>{row.id}</code> : <code title={row.id}>{shortId(row.id)}</code>),
      },
      {
        key: 'actions',
        head: <span class="unseen">{words.columns.actions}</span>,
        align: 'right',
        cell: row =>
          isFixed(row) ? null : (
            <span class="row-actions">
              <button
                type="button"
                class="button small"
                aria-label={words.newPasswordOf(row.name)}
                onClick={() => givePassword(row)}
              >
                {words.newPassword}
              </button>
              {row.disabledAt === null ? (
                <button
                  type="button"
                  class="button small"
                  aria-label={words.disableOf(row.name)}
                  onClick={() => void acts.disable(row)}
                >
                  {words.disable}
                </button>
              ) : (
                <button
                  type="button"
                  class="button small"
                  aria-label={words.enableOf(row.name)}
                  onClick={() => void acts.enable(row)}
                >
                  {words.enable}
                </button>
              )}
              <button
                type="button"
                class="button small danger"
                aria-label={words.deleteOf(row.name)}
                onClick={() => void acts.remove(row)}
              >
                {words.delete}
              </button>
            </span>
          ),
      },
    ]
    return columns
  }, [t, self, again, givePassword])
}
