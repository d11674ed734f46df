// The texts about accounts in Russian.
import type {
  account as accountTexts,
  people as peopleTexts,
  register as registerTexts,
} from './people-en.ts'

const n = (value: number): string => value.toLocaleString('ru-RU')
const rules = new Intl.PluralRules('ru')
const form = (count: number, one: string, few: string, many: string): string => {
  const rule = rules.select(count)
  return rule === 'one' ? one : rule === 'few' ? few : many
}

export const roles: Record<string, string> = {
  viewer: 'наблюдатель',
  user: 'пользователь',
  operator: 'оператор',
  admin: 'администратор',
}

export const roleMeanings: Record<string, string> = {
  viewer: 'видит всё и ничего не меняет',
  user: 'имеет собственные задачи',
  operator: 'распоряжается всеми задачами и процессами',
  admin: 'распоряжается и учётными записями',
}

export const register: typeof registerTexts = {
  title: 'Создать учётную запись',
  name: 'Имя',
  nameHelp: 'Буквы, цифры и . _ - + @',
  password: 'Пароль',
  passwordHelp: 'Не короче 8 знаков.',
  invitation: 'Приглашение',
  invitationHelp: 'Его даёт администратор. Оно действует один раз.',
  invitationOptional: 'Пусто, если администратор вам его не дал.',
  toLogin: 'У меня есть учётная запись',
  done: 'Учётная запись создана. Войдите.',
  link: 'Создать учётную запись',
  wait: seconds =>
    `Слишком много попыток. Повторите через ${seconds} ${form(seconds, 'секунду', 'секунды', 'секунд')}.`,
  faults: {
    NAME_TAKEN: 'Это имя занято.',
    NAME_INVALID:
      'В имени от 1 до 64 букв, цифр и знаков . _ - + @, и начинается оно с буквы или цифры. Некоторые имена оставлены серверу.',
    INVITATION_INVALID: 'Это приглашение неизвестно, использовано, отозвано или устарело.',
    REGISTRATION_CLOSED: 'Здесь для учётной записи нужно приглашение.',
  },
  passwordFaults: {
    short: 'В пароле не меньше 8 знаков.',
    long: 'В пароле не больше 256 знаков.',
    name: 'Пароль не должен совпадать с именем.',
    common: 'Этот пароль попробовали бы одним из первых.',
  },
}

export const account: typeof accountTexts = {
  facts: {
    title: 'Кто вы',
    name: 'имя',
    role: 'роль',
    id: 'id, владелец ваших задач',
    ways: 'вы входите через',
    way: { password: 'пароль', oidc: 'OpenID Connect' },
    ends: 'этот вход закончится',
  },
  password: {
    title: 'Пароль',
    present: 'Нынешний пароль',
    next: 'Новый пароль',
    nextHelp: 'Не короче 8 знаков. Все остальные ваши входы закончатся.',
    again: 'Новый пароль ещё раз',
    differs: 'Это не то же самое.',
    change: 'Сменить пароль',
    changed: 'Пароль сменён. Все остальные ваши входы закончились.',
    none: 'У этой учётной записи нет пароля: вы входите через OpenID Connect. Администратор может его задать.',
    elsewhere: login =>
      `Вход ${login} принадлежит самой установке. Его пароль даёт настройка или создаёт заново команда:`,
  },
  sessions: {
    title: 'Входы',
    note: 'Где вы сейчас вошли. Каждый вход кончается через двенадцать часов.',
    builtIn: login => `Входов ${login} на этой панели здесь нет. Они кончаются с новым паролем.`,
    table: 'Входы этой учётной записи',
    none: 'Нет ни одного.',
    columns: { begun: 'начат', ends: 'кончится', address: 'откуда', agent: 'программа', actions: 'действия' },
    current: 'этот',
    end: 'Закончить',
    endOf: when => `Закончить вход от ${when}`,
    ended: 'Вход закончен.',
  },
  keys: {
    title: 'Ключи',
    note: 'Для программ: они отправляют ключ в REST API как Authorization: Bearer.',
    table: 'Ключи этой учётной записи',
    none: 'Ни у одной программы нет вашего ключа.',
    columns: {
      name: 'имя',
      may: 'может',
      tasks: 'задачи',
      created: 'создан',
      used: 'применялся',
      ends: 'кончится',
      actions: 'действия',
    },
    make: 'Новый ключ',
    submit: 'Создать ключ',
    name: 'Имя',
    nameHelp: 'Для чего он.',
    scopes: 'Он может',
    scopeMeanings: {
      read: 'читать задачи',
      submit: 'ставить задачи и завершать свои',
      operate: 'распоряжаться всеми задачами',
      admin: 'распоряжаться учётными записями',
    },
    needsScope: 'Выберите хотя бы одно.',
    kinds: 'Виды',
    kindsHelp: known => `Через запятую; пусто — любой вид. Известны: ${known}`,
    own: 'Только мои собственные задачи',
    ends: 'Кончится',
    lives: {
      never: 'никогда',
      day: 'через день',
      month: 'через 30 дней',
      quarter: 'через 90 дней',
      year: 'через год',
    },
    never: 'никогда',
    everyKind: 'все виды',
    ownOnly: 'только свои',
    made: name => `Ключ ${name}`,
    once: 'Он показан один этот раз. Храните его там, где его не прочтёт никто другой.',
    revoke: 'Отозвать',
    revokeOf: name => `Отозвать ключ ${name}`,
    ask: name => `Отозвать ключ ${name}?`,
    askText: 'Программам с этим ключом с этого мига будет отказано. Вернуть его нельзя.',
    revoked: 'Ключ отозван.',
  },
}

export const people: typeof peopleTexts = {
  table: 'Учётные записи',
  count: (count, isMore) =>
    `${n(count)}${isMore ? '+' : ''} ${form(count, 'учётная запись', 'учётные записи', 'учётных записей')}`,
  columns: {
    name: 'имя',
    role: 'роль',
    state: 'состояние',
    created: 'создана',
    id: 'идентификатор',
    actions: 'действия',
  },
  you: 'вы',
  builtIn: 'самой установки',
  byProvider: 'OpenID Connect',
  active: 'действует',
  disabled: 'отключена',
  roleOf: name => `Роль ${name}`,
  askRole: (name, role) => `Дать ${name} роль «${role}»?`,
  askRoleText: 'Она действует сразу, и для открытых входов и ключей.',
  change: 'Сменить',
  changed: name => `Учётная запись ${name} изменена.`,
  disable: 'Отключить',
  disableOf: name => `Отключить ${name}`,
  askDisable: name => `Отключить ${name}?`,
  askDisableText: 'Все входы закончатся, а ключи не будут действовать, пока запись не включат снова.',
  enable: 'Включить',
  enableOf: name => `Включить ${name}`,
  newPassword: 'Новый пароль',
  newPasswordOf: name => `Новый пароль для ${name}`,
  passwordHelp: 'Не короче 8 знаков. Все входы этой учётной записи закончатся.',
  setPassword: 'Задать пароль',
  delete: 'Удалить',
  deleteOf: name => `Удалить ${name}`,
  askDelete: name => `Удалить учётную запись ${name}?`,
  askDeleteText:
    'Её входы и ключи закончатся, имя освободится. Её задачи останутся под её идентификатором. Вернуть её нельзя.',
  deleteTasks: 'Отменить и удалить также её задачи',
  deleted: name => `Учётная запись ${name} удалена.`,
  more: 'Дальше',
  first: 'С начала',
  invitations: {
    title: 'Приглашения',
    note: 'Каждое создаёт одну учётную запись, один раз.',
    table: 'Приглашения, которые ещё действуют',
    none: 'Открытых приглашений нет.',
    columns: {
      note: 'для кого',
      role: 'роль',
      by: 'от кого',
      created: 'создано',
      ends: 'кончится',
      actions: 'действия',
    },
    make: 'Пригласить',
    submit: 'Создать приглашение',
    role: 'Роль',
    noteField: 'Для кого',
    noteHelp: 'Чтобы администраторы его узнали.',
    days: 'Дней',
    daysHelp: 'От 1 до 90. Потом оно не действует.',
    made: 'Приглашение',
    once: 'Ссылка показана один этот раз. Отправьте её тому, для кого она: кто её имеет, тот и создаст запись.',
    withdraw: 'Отозвать',
    withdrawOf: note => `Отозвать приглашение ${note}`,
    withdrawn: 'Приглашение отозвано.',
    noNote: '(без пометки)',
  },
}
