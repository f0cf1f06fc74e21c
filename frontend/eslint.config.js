import js from '@eslint/js';
import jsxA11y from 'eslint-plugin-jsx-a11y';
import reactHooks from 'eslint-plugin-react-hooks';
import tseslint from 'typescript-eslint';

const TEXT = 'Text comes from the catalogues: t("area.key").';
const COLOUR = 'Colours live in ui/tokens.ts; use var(--sb-…).';

const words = [
  { selector: 'JSXText[value=/\\p{L}/u]', message: TEXT },
  {
    selector:
      'JSXAttribute[name.name=/^(label|title|placeholder|alt|description|aria-label|aria-description|confirmLabel)$/] > Literal[value=/\\p{L}/u]',
    message: TEXT,
  },
  { selector: 'JSXExpressionContainer > Literal[value=/\\p{L}/u]', message: TEXT },
];
const colours = [
  { selector: 'Literal[value=/#[0-9a-fA-F]{3,8}\\b/]', message: COLOUR },
  { selector: 'TemplateElement[value.raw=/#[0-9a-fA-F]{3,8}\\b/]', message: COLOUR },
];
const markup = [
  { selector: 'JSXAttribute[name.name="dangerouslySetInnerHTML"]', message: 'Data is shown as text.' },
  { selector: 'AssignmentExpression[left.property.name=/^(innerHTML|outerHTML)$/]', message: 'Data is shown as text.' },
];
const SEARCH = 'What stands behind the ? is given as search={{ … }}: the router ends every path with a slash.';
const searches = [
  { selector: 'JSXAttribute[name.name="to"] TemplateElement[value.raw=/\\?/]', message: SEARCH },
  { selector: 'JSXAttribute[name.name="to"] Literal[value=/\\?/]', message: SEARCH },
];
const SIDES = 'Sides are named by where reading begins and ends: marginInlineStart, ms, insetInlineStart.';
const sides = [
  { selector: 'Property[key.name=/^(margin|padding|border)(Left|Right)(Width|Style)?$/]', message: SIDES },
  { selector: 'JSXAttribute[name.name=/^(ml|mr|pl|pr|left|right)$/]', message: SIDES },
  { selector: 'JSXAttribute[name.name=/^(style|styles)$/] Property[key.name=/^(left|right)$/]', message: SIDES },
  { selector: 'Property[key.name=/^(textAlign|float)$/][value.value=/^(left|right)$/]', message: SIDES },
];

const BY_HAND = 'Only page.keyboard, or only page.mouse, touches the page here.';
const byHandOnly = (names, message, unless = '') => [{ selector: `CallExpression[callee.property.name=/^(${names})$/]${unless}`, message }];

export default tseslint.config(
  { ignores: ['**/generated.ts'] },
  js.configs.recommended,
  {
    files: ['**/*.{ts,tsx}'],
    extends: [...tseslint.configs.recommendedTypeChecked, ...tseslint.configs.stylistic],
    plugins: { 'react-hooks': reactHooks, 'jsx-a11y': jsxA11y },
    languageOptions: {
      parserOptions: { project: ['./tsconfig.json', '../tests/e2e/tsconfig.json'], tsconfigRootDir: import.meta.dirname },
    },
    rules: {
      ...reactHooks.configs.recommended.rules,
      ...jsxA11y.configs.recommended.rules,
      'no-restricted-syntax': ['error', ...words, ...colours, ...markup, ...searches, ...sides],
      'max-lines-per-function': ['error', { max: 150, skipBlankLines: true, skipComments: true }],
      'max-lines': ['error', { max: 600 }],
      eqeqeq: ['error', 'always'],
      'no-console': 'error',
      '@typescript-eslint/consistent-type-imports': 'error',
      '@typescript-eslint/no-unused-vars': ['error', { argsIgnorePattern: '^_', varsIgnorePattern: '^_', ignoreRestSiblings: true }],
      '@typescript-eslint/no-misused-promises': ['error', { checksVoidReturn: { attributes: false } }],
      // A prop named autoFocus moves the focus where a dialog opens, which is what a keyboard needs.
      'jsx-a11y/no-autofocus': 'off',
      // The compiler's own rules report library hooks as unsafe; the two classic rules stay on.
      'react-hooks/incompatible-library': 'off',
    },
  },
  // A picture of a flow runs from left to right for everybody.
  { files: ['**/canvas/**'], rules: { 'no-restricted-syntax': ['error', ...words, ...colours, ...markup, ...searches] } },
  {
    files: ['**/ui/tokens.ts', '**/*.test.{ts,tsx}', '**/tests/**', '**/build-plugins/**'],
    rules: {
      'no-restricted-syntax': ['error', ...markup],
      'max-lines-per-function': 'off',
      '@typescript-eslint/no-empty-function': 'off',
      '@typescript-eslint/unbound-method': 'off',
    },
  },
  {
    // Two builders of one flow: neither may set anything up past the page, or touch it by other means than its own.
    files: ['**/tests/e2e/both-ways/*.ts'],
    rules: {
      'no-restricted-syntax': [
        'error',
        ...markup,
        ...byHandOnly('evaluate|evaluateHandle|evaluateAll|\\$eval|\\$\\$eval|addInitScript|addScriptTag|exposeFunction|dispatchEvent|route|request|fetch|setContent|waitForFunction|storageState|addCookies', BY_HAND),
        { selector: 'MemberExpression[property.name=/^(request|context)$/]', message: BY_HAND },
        ...byHandOnly('click|dblclick|fill|clear|check|uncheck|setChecked|tap|hover|focus|blur|press|pressSequentially|type|selectOption|selectText|dragTo|dragAndDrop|setInputFiles', BY_HAND, "[callee.object.name!='keyboard'][callee.object.property.name!='keyboard']"),
      ],
      'no-restricted-globals': ['error', { name: 'fetch', message: BY_HAND }],
    },
  },
  {
    files: ['**/tests/e2e/both-ways/*keyboard.ts', '**/tests/e2e/both-ways/keys.ts'],
    rules: { 'no-restricted-properties': ['error', { object: 'page', property: 'mouse', message: BY_HAND }, { object: 'page', property: 'touchscreen', message: BY_HAND }] },
  },
  {
    files: ['**/tests/e2e/both-ways/*mouse.ts', '**/tests/e2e/both-ways/pointer.ts'],
    rules: { 'no-restricted-properties': ['error', { object: 'keyboard', property: 'press', message: BY_HAND }, { object: 'page', property: 'touchscreen', message: BY_HAND }] },
  },
  { files: ['**/scripts/**'], languageOptions: { globals: { console: 'readonly', process: 'readonly', URL: 'readonly' } }, rules: { 'no-console': 'off' } },
);
