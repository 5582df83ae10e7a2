import fc from 'fast-check'
import { beforeAll, describe, expect, it } from 'vitest'
import { countChat } from './chat.ts'
import { type Counter, loadEncoding } from './text.ts'

let cl100k: Counter
let o200k: Counter
beforeAll(async () => {
  cl100k = await loadEncoding('cl100k_base')
  o200k = await loadEncoding('o200k_base')
})

const hello = [{ role: 'user', content: 'hello' }]
const bot = [{ role: 'system', content: 'You are a bot.' }]
const object = (properties: object, required?: readonly string[]) => ({
  type: 'object',
  properties,
  ...(required !== undefined && { required }),
})
const string = { type: 'string' }
const tool = (name: string, description: string, parameters?: object) => ({
  type: 'function',
  function: { name, description, ...(parameters !== undefined && { parameters }) },
})
const named = (name: string) => ({ type: 'function', function: { name } })

const weather = {
  messages: [
    {
      role: 'system',
      content: 'You are a helpful assistant that can answer to questions about the weather.',
    },
    { role: 'user', content: "What's the weather like in San Francisco?" },
  ],
  tools: [
    tool(
      'get_current_weather',
      'Get the current weather in a given location',
      object(
        {
          location: { type: 'string', description: 'The city and state, e.g. San Francisco, CA' },
          unit: {
            type: 'string',
            description: 'The unit of temperature to return',
            enum: ['celsius', 'fahrenheit'],
          },
        },
        ['location'],
      ),
    ),
  ],
}

/** Usage recorded by pamelafox/openai-messages-token-helper, tests/functions.py at b60075e, for a system message
 * "You are a bot." and one tool. `over`: by how much the formula is too high. */
const search = 'Retrieve sources from the Azure AI Search index'
const query = "Query string to retrieve documents from azure search eg: 'Health care plan'"
const searched = tool(
  'search_sources',
  search,
  object({ search_query: { ...string, description: query } }, ['search_query']),
)
const demonstration = (properties: object) =>
  tool('data_demonstration', 'This is the main function description', object(properties, ['object_1']))
const inner = (properties: object) => ({
  type: 'object',
  description: 'The object data type as a property',
  properties,
})
const happy = { type: 'string', enum: ['Happy', 'Sad'] }
const lost = { type: 'string', description: 'Description in a second object is lost' }
const order = object(
  {
    product_name: { ...string, description: 'Product name ordered by customer' },
    quantity: { type: 'integer', description: 'Quantity ordered by customer' },
    unit: { ...string, enum: ['meals', 'days'], description: 'unit of measurement of the customer order' },
  },
  ['product_name', 'quantity', 'unit'],
)
const escalation =
  'If user is showing signs of frustration or anger in the query. Also if the user says they want to talk to ' +
  'a real person and not a chat bot.'
const one = (name: string, facts: object) => object({ [name]: facts }, [name])
const signs = tool(
  'data_demonstration',
  'This is the main function description',
  object({ integer_enum: { type: 'integer', enum: [-1, 1] } }),
)
const recorded = [
  { what: 'auto', definition: searched, choice: 'auto', tokens: 66, over: 0 },
  { what: 'none', definition: searched, choice: 'none', tokens: 67, over: 0 },
  { what: 'named', definition: searched, choice: named('search_sources'), tokens: 75, over: 0 },
  { what: 'an enum of integers', definition: signs, choice: 'none', tokens: 54, over: 1 },
  { what: 'the same, named', definition: signs, choice: named('data_demonstration'), tokens: 64, over: 1 },
  { what: 'no parameters', definition: tool('search_sources', search), choice: 'auto', tokens: 42, over: 0 },
  {
    what: 'no parameters, named',
    definition: tool('search_sources', search),
    choice: named('search_sources'),
    tokens: 51,
    over: 0,
  },
  {
    what: 'an optional property without description',
    definition: tool('search_sources', search, object({ search_query: string })),
    choice: 'auto',
    tokens: 49,
    over: 1,
  },
  {
    what: 'a required property without description',
    definition: tool('search_sources', search, one('search_query', string)),
    choice: 'auto',
    tokens: 49,
    over: 1,
  },
  {
    what: 'an enum of strings',
    definition: tool('summarize_order', 'Summarize the customer order request', order),
    choice: 'none',
    tokens: 86,
    over: 0,
  },
  {
    what: 'an object',
    definition: demonstration({ object_1: inner({ string1: string }) }),
    choice: 'none',
    tokens: 65,
    over: 2,
  },
  {
    what: 'an object with an enum',
    definition: demonstration({ object_1: inner({ string_2a: happy }) }),
    choice: 'none',
    tokens: 73,
    over: 1,
  },
  {
    what: 'an object with a description inside',
    definition: demonstration({ object_1: inner({ string_2a: happy, string_2b: lost }) }),
    choice: 'none',
    tokens: 89,
    over: 3,
  },
  {
    what: 'the same, and a string',
    definition: demonstration({
      object_1: inner({ string_2a: happy, string_2b: lost }),
      string_1: { ...string, description: 'Not required gets a question mark' },
    }),
    choice: 'none',
    tokens: 103,
    over: 3,
  },
  {
    what: 'a boolean',
    definition: tool(
      'human_escalation',
      'Check if user wants to escalate to a human',
      one('requires_escalation', { type: 'boolean', description: escalation }),
    ),
    choice: 'none',
    tokens: 89,
    over: 0,
  },
  {
    what: 'an array',
    definition: tool(
      'get_coordinates',
      'Get the latitude and longitude of multiple mailing addresses',
      one('addresses', { type: 'array', description: 'The mailing addresses to be located', items: string }),
    ),
    choice: 'none',
    tokens: 59,
    over: 0,
  },
  {
    what: 'null',
    definition: tool(
      'get_null',
      'Get the null value',
      one('null_value', { type: 'null', description: 'The null value to be returned' }),
    ),
    choice: 'none',
    tokens: 55,
    over: 0,
  },
  {
    what: 'no type',
    definition: tool(
      'get_no_type',
      'Get the no type value',
      one('no_type_value', { description: 'The no type value to be returned' }),
    ),
    choice: 'none',
    tokens: 59,
    over: 0,
  },
]

describe('a tool', () => {
  it.each(recorded)('with $what costs $tokens with its prompt, $over less than counted', (recording) => {
    const { definition, choice, tokens, over } = recording
    const request = { model: 'gpt-4', messages: bot, tools: [definition], tool_choice: choice }
    const count = countChat(request, cl100k)
    expect(count).toMatchObject({
      tokens: tokens + over,
      high: tokens + over,
      class: over === 0 ? 'exact' : 'formula',
    })
    expect(count.low).toBeLessThanOrEqual(tokens)
  })

  it('costs what the vendor reported for the example of its cookbook', () => {
    expect(countChat({ model: 'gpt-4', ...weather }, cl100k)).toMatchObject({ tokens: 105, class: 'exact' })
    expect(countChat({ model: 'gpt-4o', ...weather }, o200k)).toMatchObject({
      ...{ low: 101, tokens: 101, high: 117, class: 'formula' },
      rule: 'openai-chat/gpt-4o; a fixed block for tools, up to 16 (measured 2025-12)',
    })
  })

  it('as a function with a list of objects costs what the vendor reported', () => {
    // Recorded by hmarr/openai-chat-tokens, tests/token-counts.test.ts at 08d8ec0.
    const ingredient = object(
      {
        name: string,
        unit: { ...string, enum: ['grams', 'ml', 'cups', 'pieces', 'teaspoons'] },
        amount: { type: 'number' },
      },
      ['name', 'unit', 'amount'],
    )
    const steps = { type: 'array', items: string, description: 'Steps to prepare the recipe (no numbering)' }
    const time = { type: 'number', description: 'Total time to prepare the recipe in minutes' }
    const parameters = object(
      { ingredients: { type: 'array', items: ingredient }, instructions: steps, time_to_cook: time },
      ['ingredients', 'instructions', 'time_to_cook'],
    )
    const functions = [{ name: 'get_recipe', parameters }]
    expect(countChat({ model: 'gpt-4', messages: hello, functions }, cl100k)).toMatchObject({
      ...{ low: 106, tokens: 106, high: 106, class: 'exact' },
    })
  })

  it('comes with a block on newer models', () => {
    // 101 of gpt-4o, one less of priming, and 19 or 24; priming may be one more.
    expect(countChat({ model: 'o3', ...weather }, o200k)).toMatchObject({ low: 100, tokens: 119, high: 120 })
    expect(countChat({ model: 'gpt-5', ...weather }, o200k)).toMatchObject({
      low: 100,
      tokens: 124,
      high: 125,
    })
    expect(countChat({ model: 'gpt-5-nano', ...weather }, o200k)).toMatchObject({ tokens: 121, high: 125 })
    expect(countChat({ model: 'gpt-5.1', ...weather }, o200k)).toMatchObject({
      ...{ low: 95, tokens: 204, high: 210, class: 'calibrated' },
    })
    expect(countChat({ model: 'gpt-5.6-sol', ...weather }, o200k)).toMatchObject({
      high: null,
      class: 'unknown',
    })
  })

  it('may cost what no measurement covers: then the count is an interval', () => {
    const strict = { type: 'function', function: { ...searched.function, strict: true } }
    const count = countChat({ model: 'gpt-4', messages: bot, tools: [strict] }, cl100k)
    // {"strict":true} has 5 tokens.
    expect(count).toMatchObject({ low: 66, tokens: 66, high: 71, class: 'formula' })
  })

  it('is not known when it is not a function', () => {
    const request = { model: 'gpt-4o', messages: hello, tools: [{ type: 'web_search' }] }
    expect(countChat(request, o200k)).toMatchObject({ class: 'unknown', high: null })
  })

  it('that is forced costs its name and seven, as a function its name and four', () => {
    const foo = { name: 'foo', parameters: object({}) }
    const functions = { model: 'gpt-4', messages: hello, functions: [foo] }
    expect(countChat(functions, cl100k).tokens).toBe(31)
    expect(countChat({ ...functions, function_call: { name: 'foo' } }, cl100k).tokens).toBe(31 + 5)
    const tools = { model: 'gpt-4', messages: hello, tools: [{ type: 'function', function: foo }] }
    expect(countChat(tools, cl100k).tokens).toBe(31)
    expect(countChat({ ...tools, tool_choice: named('foo') }, cl100k).tokens).toBe(31 + 8)
    expect(countChat({ ...tools, tool_choice: 'required' }, cl100k)).toMatchObject({ tokens: 31, high: 47 })
    expect(countChat({ ...tools, tools: [], tool_choice: 'none' }, cl100k).tokens).toBe(8)
  })

  it('that was called is in the history with its result, within a bound', () => {
    const messages = [
      ...hello,
      {
        role: 'assistant',
        content: null,
        tool_calls: [{ id: 'call_1', type: 'function', function: { name: 'foo', arguments: '{}' } }],
      },
      { role: 'tool', tool_call_id: 'call_1', content: 'hello world' },
    ]
    // 8 for "hello"; 4 for the reply, 3 and 2 for the call; 4 and 2 for the result. "call_1" has 3 tokens.
    expect(countChat({ model: 'gpt-4', messages }, cl100k)).toMatchObject({
      ...{ low: 18, tokens: 23, high: 23 + 2 * (24 + 3), class: 'bound' },
    })
  })
})

describe('a format of the reply', () => {
  const schema = { name: 'a', schema: object({}) }

  it('is bounded by its JSON', () => {
    const request = {
      model: 'gpt-4o',
      messages: hello,
      response_format: { type: 'json_schema', json_schema: schema },
    }
    const tokens = o200k.count('{"name":"a","schema":{"type":"object","properties":{}}}')
    expect(countChat(request, o200k)).toMatchObject({
      ...{ low: 8, tokens: 8 + tokens, high: 48 + tokens, class: 'bound' },
    })
  })

  it('of any JSON adds no more than a few tokens, of text none', () => {
    const request = { model: 'gpt-4o', messages: hello }
    expect(countChat({ ...request, response_format: { type: 'json_object' } }, o200k)).toMatchObject({
      ...{ low: 8, tokens: 8, high: 48, class: 'bound' },
    })
    expect(countChat({ ...request, response_format: { type: 'text' } }, o200k)).toMatchObject({ high: 8 })
  })
})

describe('bad tools', () => {
  const nested = (levels: number): object => {
    let schema: object = string
    for (let level = 0; level < levels; level += 1) schema = object({ a: schema })
    return schema
  }

  it('nested 200 levels deep are counted', () => {
    const count = countChat(
      { model: 'gpt-4', messages: hello, tools: [tool('foo', '', nested(200))] },
      cl100k,
    )
    expect(count.high).toBeGreaterThanOrEqual(count.tokens)
    expect(count.tokens).toBeGreaterThan(200 * 4)
  })

  it('nested 10,000 levels deep, without an end, or 50,001 of them are not known', () => {
    const endless: { type: string; properties: Record<string, unknown> } = { type: 'object', properties: {} }
    endless.properties = { a: endless, b: endless }
    for (const parameters of [nested(10_000), endless]) {
      const request = { model: 'gpt-4', messages: hello, tools: [tool('foo', '', parameters)] }
      expect(countChat(request, cl100k)).toMatchObject({ class: 'unknown', high: null })
    }
    const wide = Object.fromEntries(Array.from({ length: 50_001 }, (_, index) => [`p${index}`, string]))
    const request = { model: 'gpt-4', messages: hello, tools: [tool('foo', '', object(wide))] }
    expect(countChat(request, cl100k)).toMatchObject({ class: 'unknown', high: null })
  })

  it('are counted for a thousand of them', () => {
    const request = {
      model: 'gpt-4',
      messages: bot,
      tools: Array.from({ length: 1000 }, () => searched),
    }
    const count = countChat(request, cl100k)
    expect(count.class).toBe('exact')
    expect(count.tokens).toBeGreaterThan(1000 * 40)
  })

  it('of any JSON never throw, and what was counted is within its interval', () => {
    const request = fc.record({
      model: fc.constantFrom('gpt-4', 'gpt-4o', 'gpt-5', 'gpt-5.1'),
      messages: fc.jsonValue(),
      tools: fc.array(fc.record({ type: fc.constant('function'), function: fc.jsonValue() })),
      functions: fc.array(fc.record({ name: fc.string(), parameters: fc.jsonValue() })),
      tool_choice: fc.jsonValue(),
      function_call: fc.jsonValue(),
      response_format: fc.jsonValue(),
    })
    fc.assert(
      fc.property(request, (any) => {
        const { low, tokens, high } = countChat(any, o200k)
        expect(low).toBeLessThanOrEqual(tokens)
        expect(high ?? tokens).toBeGreaterThanOrEqual(tokens)
      }),
    )
  })
})
