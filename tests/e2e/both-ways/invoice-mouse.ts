/** Invoice approval with the mouse: drawn, published and run. */
import { FIRST, INVOICE } from './invoice';
import type { Builder } from './invoice';
import { pointerOf } from './pointer';
import { exported, hasFocus, said, saved } from './shared';

export async function buildInvoicesByMouse({ page, url, password, bank }: Builder): ReturnType<typeof exported> {
  const { middle, press, drag, write, reveal, form, card, port, title, carry, choose, beside, signIn, newFlow } = pointerOf(page);
  const type = (text: string) => page.keyboard.type(text);
  const shown = (name: string, exact = true) => reveal(form.getByRole('textbox', { name, exact }));
  const button = (name: string | RegExp) => reveal(form.getByRole('button', typeof name === 'string' ? { name, exact: true } : { name }));
  const connect = async (from: string, way: string, to: string) => {
    await drag(await middle(port(from, way)), await middle(card(to)));
    await said(page, new RegExp(`^Connect ${from.replace('?', '\\?')} to ${to.replace('?', '\\?')}`));
  };
  /** Side by side: what is on the left is dragged to the right. */
  const map = async (open: () => Promise<void>, ...values: string[]) => {
    await open();
    const sheet = page.getByRole('dialog', { name: /map side by side$/ });
    for (const value of values) {
      const name = value.split('.').pop() ?? '';
      await write(sheet.getByRole('textbox', { name: 'Search what is available' }), value);
      await drag(await middle(sheet.getByRole('button', { name: new RegExp(`^${value.replaceAll('.', '\\.')} `) })), await middle(sheet.getByRole('group', { name: 'New field' })));
      await sheet.getByRole('group', { name, exact: true }).waitFor();
    }
    await press(sheet.getByRole('button', { name: 'Close mapping' }));
    await sheet.waitFor({ state: 'detached' });
  };

  await signIn(url, password);
  await newFlow(INVOICE.name('mouse'));
  for (let times = 0; times < 3; times += 1) await press(page.getByRole('button', { name: 'Zoom out', exact: true }));
  await drag(await middle(card('By hand')), [385, 330]);
  await hasFocus(page, 'group', /^By hand, Trigger/);

  // What is asked at the start: two questions, one of them a number.
  for (const name of ['Supplier', 'Amount']) {
    await press(await button('Add question'));
    await write(await reveal(form.getByRole('textbox', { name: 'Question' }).last()), name);
  }
  await press(await reveal(form.getByRole('combobox', { name: 'Answer' }).last()));
  await press(page.getByRole('option', { name: 'Number', exact: true }));

  // The steps that follow each other, from the palette onto the canvas.
  await carry('Map', [540, 330]);
  await title(INVOICE.read);
  await connect('By hand', 'done', INVOICE.read);
  await map(async () => press(await button('Map side by side')), 'trigger.body.supplier', 'trigger.body.amount');
  await write(form.getByRole('textbox', { name: 'Name', exact: true }).first(), 'supplier');
  await write(form.getByRole('textbox', { name: 'Name', exact: true }).last(), 'amount');

  // The table, shown large: two conditions, three rules, and a row that tries them.
  await carry('Decision table', [695, 330]);
  await title(INVOICE.rules);
  await connect(INVOICE.read, 'done', INVOICE.rules);
  await press(await button('Show the table large'));
  const sheet = page.getByRole('dialog', { name: 'Rules' });
  const cell = (name: string) => sheet.getByRole('textbox', { name, exact: true });
  await press(sheet.getByRole('button', { name: 'Add rule' }));
  await cell('Rule 3, Amount').waitFor();
  await press(sheet.getByRole('button', { name: 'Add condition' }));
  await cell('Heading of condition 2').waitFor();
  for (const [name, text] of [
    ['What condition 1 looks at', 'steps.map.output.amount'], ['Heading of condition 2', 'Supplier'], ['What condition 2 looks at', 'steps.map.output.supplier'],
    ['Rule 1, Amount', '<= 500'],
    ['Rule 2, Amount', '> 500'], ['Rule 2, Supplier', '"Acme"'], ['Rule 2, Size', '"small"'],
    ['Rule 3, Amount', '> 500'], ['Rule 3, Supplier', 'not("Acme")'], ['Rule 3, Size', '"large"'],
  ] as const) await write(cell(name), text);
  await press(sheet.getByRole('button', { name: 'Add test row' }));
  for (const [name, text] of [['Test 1, Amount', '700'], ['Test 1, Supplier', '"Acme"'], ['Test 1, Size, expected', '"small"']] as const) await write(cell(name), text);
  await sheet.getByText('As expected').waitFor();
  await press(sheet.getByRole('button', { name: 'Close the table' }));
  await sheet.waitFor({ state: 'detached' });

  // The fork, with a condition put together by choosing.
  await carry('Decide', [850, 330]);
  await title(INVOICE.fork);
  await connect(INVOICE.rules, 'done', INVOICE.fork);
  await press(await button('Add condition'));
  const compared = await reveal(form.getByRole('combobox', { name: 'Condition 1: what is compared' }));
  await press(compared);
  await type('steps.table.output.size');
  await press(page.getByRole('option', { name: 'steps.table.output.size', exact: true }));
  await write(await shown('Condition 1: value'), 'small');

  // Paying touches the world; what happens when it fails is drawn as well.
  await carry('Send HTTP request', [1005, 220]);
  await title(INVOICE.pay);
  await connect(INVOICE.fork, 'yes', INVOICE.pay);
  await write(await shown('Address'), bank);
  await map(async () => press(await reveal(form.getByRole('button', { name: 'Map side by side' }).last())), 'steps.map.output.amount');
  await carry('Stop', [1165, 220]);
  await title(INVOICE.paid);
  await connect(INVOICE.pay, 'done', INVOICE.paid);
  await carry('Stop', [1165, 330]);
  await title(INVOICE.failed);
  await press(form.getByText('Failed', { exact: true }));
  await write(await shown('Message'), INVOICE.message);
  await connect(INVOICE.pay, 'error', INVOICE.failed);

  // The approval, its people and a fact; each way out leads somewhere.
  await press(card(INVOICE.fork).getByRole('button', { name: `Add a step behind no of ${INVOICE.fork}` }));
  await choose('Add a step', 'Approval');
  await hasFocus(page, 'group', /^Approval, Approval/);
  await title(INVOICE.ask);
  await drag(await middle(card(INVOICE.ask)), await beside(card(INVOICE.fork), 120, 170));
  await write(await shown('What is asked'), INVOICE.question);
  await press(await reveal(form.getByRole('combobox', { name: 'People' }).first()));
  await type('approver');
  await press(page.getByRole('option', { name: /approver@demo\.local/ }));
  await press(await button('Add to Facts to decide by'));
  await write(await shown('Label'), 'Supplier');
  const fact = form.getByRole('group', { name: /^Facts to decide by/ });
  await press(await reveal(fact.getByRole('button', { name: 'Insert data' })));
  await choose('Insert data', 'supplier');
  await carry('Stop', [1165, 500]);
  await title(INVOICE.refused);
  await connect(INVOICE.ask, 'approved', INVOICE.pay);
  await connect(INVOICE.ask, 'rejected', INVOICE.refused);
  await connect(INVOICE.ask, 'timeout', INVOICE.refused);
  await saved(page);

  await press(page.getByRole('button', { name: 'More for this flow' }));
  const download = page.waitForEvent('download');
  await press(page.getByRole('menuitem', { name: 'Export as a file' }));
  const document = await exported(await download);

  // Published with a reason, and run.
  await press(page.getByRole('button', { name: 'Publish', exact: true }));
  await hasFocus(page, 'textbox', 'What is new, and why');
  await type(INVOICE.reason);
  await press(page.getByRole('region', { name: /^Publish/ }).getByRole('button', { name: 'Publish', exact: true }));
  await page.getByText('v1', { exact: true }).first().waitFor();
  await press(page.getByRole('button', { name: 'Run now' }));
  const start = page.getByRole('dialog');
  await write(start.getByRole('textbox', { name: 'Supplier' }), FIRST.supplier);
  await write(start.getByLabel(/^Amount/), FIRST.amount);
  await press(start.getByRole('button', { name: 'Start run' }));
  await page.waitForURL(/\/runs\/[0-9a-f-]+\//);
  return document;
}
