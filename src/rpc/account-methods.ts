// The methods of the service Madhava about who asks: logins, accounts, sessions, keys and invitations. Thrift's structs
// on one side, Access on the other, which decides about rights. No rules of its own, no sockets.
import type { Access } from '../access/access.ts'
import {
  toAccountChanges,
  toLogin,
  toNewAccount,
  toNewInvitation,
  toNewKey,
  toPassword,
  toTasksOfDeleted,
} from './account-arguments.ts'
import {
  accountPageStruct,
  accountStruct,
  invitationStruct,
  keyStruct,
  loginStruct,
  meStruct,
  sessionStruct,
} from './account-struct.ts'
import { toPage, toText } from './arguments.ts'
import type { RpcMethod } from './caller.ts'
import type { ExceptionName } from './declared.ts'
import { methodFor, openMethod } from './method.ts'

/** Every method may be refused, or find the store away. */
const method = (
  arity: number,
  run: Parameters<typeof methodFor>[1],
  ...exceptions: ExceptionName[]
): RpcMethod => methodFor(arity, run, 'refused', 'unavailable', ...exceptions)
const open = (arity: number, run: Parameters<typeof openMethod>[1]): RpcMethod =>
  openMethod(arity, run, 'refused', 'unavailable')

/** By name. */
export const createAccountMethods = ({ access }: { access: Access }): ReadonlyMap<string, RpcMethod> =>
  new Map<string, RpcMethod>([
    [
      'authenticate',
      open(1, async ([key], call) => meStruct(await access.me(await call.authenticate(toText(key, 'key'))))),
    ],
    ['me', method(0, async actor => meStruct(await access.me(actor)))],
    [
      'createAccount',
      method(
        3,
        async (actor, [name, password, options], { origin }) =>
          accountStruct(await access.register(actor, toNewAccount(name, password, options), origin)),
        'conflict',
      ),
    ],
    [
      'logIn',
      // also on a connection whose session has ended
      open(2, async ([name, password], { origin }) => {
        return loginStruct(await access.logIn(toLogin(name, password), origin))
      }),
    ],
    ['logOut', method(0, actor => access.logOut(actor))],
    [
      'changePassword',
      method(
        2,
        (actor, [password, newPassword], { origin }) =>
          access.changePassword(
            actor,
            {
              password: toPassword(password, 'password'),
              newPassword: toPassword(newPassword, 'newPassword'),
            },
            origin,
          ),
        'conflict',
      ),
    ],
    ['listSessions', method(0, async actor => (await access.sessions(actor)).map(sessionStruct))],
    ['endSession', method(1, (actor, [id]) => access.endSession(actor, toText(id, 'id')), 'notFound')],
    [
      'createKey',
      method(3, async (actor, [name, scopes, options]) =>
        keyStruct(await access.createKey(actor, toNewKey(name, scopes, options))),
      ),
    ],
    ['listKeys', method(0, async actor => (await access.keys(actor)).map(keyStruct))],
    ['revokeKey', method(1, (actor, [id]) => access.revokeKey(actor, toText(id, 'id')), 'notFound')],
    [
      'createInvitation',
      method(3, async (actor, [role, seconds, note]) =>
        invitationStruct(await access.invite(actor, toNewInvitation(role, seconds, note))),
      ),
    ],
    ['listInvitations', method(0, async actor => (await access.invitations(actor)).map(invitationStruct))],
    [
      'withdrawInvitation',
      method(1, (actor, [id]) => access.withdrawInvitation(actor, toText(id, 'id')), 'notFound'),
    ],
    [
      'listAccounts',
      method(2, async (actor, [limit, cursor]) =>
        accountPageStruct(await access.accounts(actor, toPage(limit, cursor))),
      ),
    ],
    [
      'changeAccount',
      method(
        2,
        async (actor, [id, changes]) =>
          accountStruct(await access.changeAccount(actor, toText(id, 'id'), toAccountChanges(changes))),
        'notFound',
        'conflict',
      ),
    ],
    [
      'deleteAccount',
      method(
        2,
        (actor, [id, tasks]) => access.deleteAccount(actor, toText(id, 'id'), toTasksOfDeleted(tasks)),
        'notFound',
        'conflict',
      ),
    ],
  ])
