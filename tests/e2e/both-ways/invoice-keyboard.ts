/** Invoice approval with the keys alone: drawn, published and run. */
import { FIRST, INVOICE } from './invoice';
import type { Builder } from './invoice';
import { keysOf } from './keys';
import { exported, hasFocus, saved } from './shared';

export async function buildInvoicesByKeyboard({ page, url, password, bank }: Builder): ReturnType<typeof exported> {
  const { press, tabTo, tabBack, type, write, fill, pressed, choose, pick, begin, leave, signIn, newFlow, command } = keysOf(page);
  /** Put the data of this name into the field whose button has the focus. */
  const insert = async (name: string) => {
    await pressed('button', 'Insert data');
    await choose('Insert data', name);
  };

  await signIn(url, password);
  await newFlow(INVOICE.name('keys'));
  await tabTo('application', /^Empty flow\./);
  await press('Enter');
  await hasFocus(page, 'group', /^By hand, Trigger/);

  // What is asked at the start: two questions, one of them a number.
  await press('Enter');
  await pressed('button', 'Add question');
  await tabBack('textbox', 'Question');
  await write('Supplier');
  await pressed('button', 'Add question');
  await tabBack('textbox', 'Question');
  await write('Amount');
  await tabTo('combobox', 'Answer');
  await pick('Number');
  await press('Escape');
  await hasFocus(page, 'group', /^By hand, Trigger/);

  // A mapping, side by side: what is taken from the left goes into a field on the right.
  await press('a');
  await choose('Add a step', 'Map');
  await begin(INVOICE.read);
  await pressed('button', 'Map side by side');
  await hasFocus(page, 'textbox', 'Search what is available');
  for (const value of ['supplier', 'amount']) {
    await pressed('button', new RegExp(`^trigger\\.body\\.${value} `));
    await tabTo('button', `Put trigger.body.${value} into a new field`);
    await press('Enter');
    await hasFocus(page, 'button', new RegExp(`^trigger\\.body\\.${value} `));
    await page.getByRole('group', { name: value, exact: true }).waitFor();
  }
  await press('Escape');
  await hasFocus(page, 'button', 'Map side by side');
  await tabBack('textbox', 'Name');
  await write('amount');
  await tabBack('button', 'Remove supplier');
  await tabBack('textbox', 'Name');
  await write('supplier');
  await leave(INVOICE.read);

  // The table: two conditions, three rules, and a row that tries them.
  await press('a');
  await choose('Add a step', 'Decision table');
  await begin(INVOICE.rules);
  await pressed('button', 'Add condition');
  await tabBack('textbox', 'Heading of condition 1');
  await fill('What condition 1 looks at', 'steps.map.output.amount');
  await fill('Heading of condition 2', 'Supplier');
  await fill('What condition 2 looks at', 'steps.map.output.supplier');
  await fill('Rule 1, Amount', '<= 500');
  await press('Enter');
  await hasFocus(page, 'textbox', 'Rule 2, Amount');
  await write('> 500');
  await press('ArrowRight');
  await hasFocus(page, 'textbox', 'Rule 2, Supplier');
  await write('"Acme"');
  await press('ArrowRight');
  await hasFocus(page, 'textbox', 'Rule 2, Size');
  await write('"small"');
  await press('Enter');
  await hasFocus(page, 'textbox', 'Rule 3, Amount');
  await write('> 500');
  await press('ArrowRight');
  await write('not("Acme")');
  await press('ArrowRight');
  await write('"large"');
  await pressed('button', 'Add test row');
  await tabBack('textbox', 'Test 1, Amount');
  await write('700');
  await fill('Test 1, Supplier', '"Acme"');
  await fill('Test 1, Size, expected', '"small"');
  await page.getByText('As expected').waitFor();
  await leave(INVOICE.rules);

  // The fork, with a condition put together by choosing.
  await press('a');
  await choose('Add a step', 'Decide');
  await begin(INVOICE.fork);
  await pressed('button', 'Add condition');
  await tabBack('combobox', 'Condition 1: what is compared');
  await write('steps.table.output.size');
  await fill('Condition 1: value', 'small');
  await leave(INVOICE.fork);

  // Paying touches the world; what happens when it fails is drawn as well.
  await press('p');
  await hasFocus(page, 'button', `Port yes of ${INVOICE.fork}, not connected`);
  await press('Enter');
  await choose('Add a step', 'Send HTTP request');
  await begin(INVOICE.pay);
  await fill('Address', bank);
  await tabTo('button', 'Body: Nothing, change');
  await tabTo('button', 'Map side by side');
  await press('Enter');
  await hasFocus(page, 'textbox', 'Search what is available');
  await type('output.amount');
  await pressed('button', /^steps\.map\.output\.amount /);
  await tabTo('button', 'Put steps.map.output.amount into a new field');
  await press('Enter');
  await hasFocus(page, 'button', /^steps\.map\.output\.amount /);
  await press('Escape');
  await hasFocus(page, 'button', 'Map side by side');
  await leave(INVOICE.pay);
  await press('a');
  await choose('Add a step', 'Stop');
  await begin(INVOICE.paid);
  await leave(INVOICE.paid);
  await press('ArrowLeft');
  await hasFocus(page, 'group', /^Pay the invoice,/);
  await press('p', 'ArrowDown');
  await hasFocus(page, 'button', `Port error of ${INVOICE.pay}, not connected`);
  await press('Enter');
  await choose('Add a step', 'Stop');
  await begin(INVOICE.failed);
  await tabTo('radio', 'Completed');
  await press('ArrowRight');
  await fill('Message', INVOICE.message);
  await leave(INVOICE.failed);

  // The approval, its people and a fact; each way out leads somewhere.
  await press('ArrowLeft');
  await hasFocus(page, 'group', /^Pay the invoice,/);
  await press('ArrowLeft');
  await hasFocus(page, 'group', /^Small invoice\?,/);
  await press('p', 'ArrowDown');
  await hasFocus(page, 'button', `Port no of ${INVOICE.fork}, not connected`);
  await press('Enter');
  await choose('Add a step', 'Approval');
  await begin(INVOICE.ask);
  await fill('What is asked', INVOICE.question);
  await tabTo('combobox', 'People');
  await type('approver');
  await page.getByRole('option', { name: /approver@demo\.local/ }).waitFor();
  await press('ArrowDown', 'Enter');
  await pressed('button', 'Add to Facts to decide by');
  await tabBack('textbox', 'Label');
  await write('Supplier');
  await insert('supplier');
  await leave(INVOICE.ask);
  await press('p');
  await hasFocus(page, 'button', `Port approved of ${INVOICE.ask}, not connected`);
  await press('c');
  await choose(`Connect ${INVOICE.ask} to`, INVOICE.pay);
  await hasFocus(page, 'group', /^Pay the invoice,/);
  await press('ArrowLeft');
  await hasFocus(page, 'group', /^Small invoice\?,/);
  await press('p', 'ArrowDown', 'ArrowRight', 'ArrowRight');
  await hasFocus(page, 'group', /^Finance approves,/);
  await press('p', 'ArrowDown');
  await hasFocus(page, 'button', `Port rejected of ${INVOICE.ask}, not connected`);
  await press('Enter');
  await choose('Add a step', 'Stop');
  await begin(INVOICE.refused);
  await leave(INVOICE.refused);
  await press('ArrowLeft');
  await hasFocus(page, 'group', /^Finance approves,/);
  await press('p', 'ArrowUp');
  await hasFocus(page, 'button', `Port timeout of ${INVOICE.ask}, not connected`);
  await press('c');
  await choose(`Connect ${INVOICE.ask} to`, INVOICE.refused);
  await hasFocus(page, 'group', /^Not approved,/);
  await saved(page);

  const download = page.waitForEvent('download');
  await command('Export', 'Export as a file');
  const document = await exported(await download);

  // Published with a reason, and run.
  await command('Publish', 'Publish');
  await hasFocus(page, 'textbox', 'What is new, and why');
  await type(INVOICE.reason);
  await press('Control+Enter');
  await page.getByText('v1', { exact: true }).first().waitFor();
  await pressed('button', 'Run now');
  await page.getByRole('dialog').waitFor();
  await fill('Supplier', FIRST.supplier);
  await fill(/^Amount/, FIRST.amount);
  await pressed('button', 'Start run');
  await page.waitForURL(/\/runs\/[0-9a-f-]+\//);
  return document;
}
