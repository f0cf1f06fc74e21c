/** What a person does who has the keys alone: nothing here but `page.keyboard` touches the page. */
import type { Page } from 'playwright-core';
import { EMAIL, hasFocus } from './shared';
import type { Role } from './shared';

const MOST_TABS = 80;

type Name = string | RegExp;
const named = (name: Name) => (typeof name === 'string' ? { name, exact: true } : { name });

export function keysOf(page: Page) {
  const { keyboard } = page;
  const press = (...keys: string[]) => keys.reduce((before, key) => before.then(() => keyboard.press(key)), Promise.resolve());

  const walkTo = async (role: Role, name: Name, key: string) => {
    const wanted = page.getByRole(role, named(name)).and(page.locator(':focus'));
    for (let times = 0; times < MOST_TABS; times += 1) {
      if ((await wanted.count()) === 1) return hasFocus(page, role, name);
      await keyboard.press(key);
    }
    throw new Error(`the focus never came to ${role} ${String(name)}`);
  };

  /** Tab on until the focus stands there. */
  const tabTo = (role: Role, name: Name) => walkTo(role, name, 'Tab');
  const tabBack = (role: Role, name: Name) => walkTo(role, name, 'Shift+Tab');

  /** Write over what the field that has the focus holds. */
  const write = async (text: string) => {
    await press('Control+A');
    await keyboard.type(text);
  };

  return {
    press,
    tabTo,
    tabBack,
    write,
    type: (text: string) => keyboard.type(text),

    /** Tab on to a field and write over what it holds. */
    fill: async (name: Name, text: string, role: Role = 'textbox') => {
      await tabTo(role, name);
      await write(text);
    },

    pressed: async (role: Role, name: Name, key = 'Enter') => {
      await tabTo(role, name);
      await press(key);
    },

    /** In a list that is open: find and take. */
    choose: async (list: Name, term: string) => {
      await hasFocus(page, 'combobox', list);
      await keyboard.type(term);
      await page.getByRole('option', { selected: true }).filter({ hasText: term }).waitFor();
      await press('Enter');
    },

    /** In a field with a few choices, which has the focus: down to one of them. */
    pick: async (choice: string) => {
      await press('ArrowDown');
      const shown = page.getByRole('option', { name: choice, exact: true }).and(page.locator('[data-combobox-selected]'));
      for (let times = 0; (await shown.count()) === 0; times += 1) {
        if (times > 20) throw new Error(`${choice} is not offered`);
        await press('ArrowDown');
      }
      await press('Enter');
    },

    /** Give the focused step a title in its form, and stay there. */
    begin: async (text: string) => {
      await press('Enter');
      await hasFocus(page, 'textbox', 'Title');
      await write(text);
    },

    /** From the form back to its step. */
    leave: async (text: string) => {
      await press('Escape');
      await hasFocus(page, 'group', new RegExp(`^${text.replace('?', '\\?')},`));
    },

    signIn: async (url: string, password: string) => {
      await page.goto(`${url}/sign-in/`);
      await tabTo('textbox', /mail/i);
      await keyboard.type(EMAIL);
      await tabTo('textbox', /password/i);
      await keyboard.type(password);
      await press('Enter');
      await page.getByRole('button', { name: 'New flow' }).waitFor();
    },

    newFlow: async (name: string) => {
      await tabTo('button', 'New flow');
      await press('Enter');
      await hasFocus(page, 'textbox', 'Name');
      await keyboard.type(name);
      await press('Enter');
      await page.getByRole('application').waitFor();
    },

    /** By Ctrl-K, what can be done is found by its name. */
    command: async (term: string, name: string) => {
      await press('Control+k');
      await hasFocus(page, 'textbox', /^Search/);
      await keyboard.type(term);
      await page.getByRole('button', { name }).last().waitFor();
      await press('Enter');
    },
  };
}
