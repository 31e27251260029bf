namespace Native.LibUsb.Generator.Model;

/// <summary>
/// Parses the C syntax of types. A type begins with specifiers, such as <c>const char</c>. A declarator without a name follows the specifiers. The declarator
/// may contain pointers, parentheses, arrays and parameter lists.
/// </summary>
internal sealed class CTypeParser
{
    private readonly List<string> _tokens;
    private int _next;

    private CTypeParser(List<string> tokens) => _tokens = tokens;

    /// <exception cref="FormatException">The text is not a type that a binding can use.</exception>
    public static CType Parse(string text)
    {
        if (text.Contains("(unnamed ", StringComparison.Ordinal) || text.Contains("(anonymous ", StringComparison.Ordinal))
            return text.EndsWith(')') ? new CAnonymousType() : throw new FormatException($"'{text}' is built on a type without a name");

        var parser = new CTypeParser(Tokenize(text));
        CType type = parser.ParseType();
        return parser._next == parser._tokens.Count ? type : throw new FormatException($"'{text}' is not understood from '{parser.Peek}' on");
    }

    private string Peek => _next < _tokens.Count ? _tokens[_next] : "";

    private static List<string> Tokenize(string text)
    {
        var tokens = new List<string>();
        for (int i = 0; i < text.Length;)
        {
            int start = i;
            if (char.IsWhiteSpace(text[i]))
            {
                i++;
                continue;
            }

            if (text.AsSpan(i).StartsWith("..."))
                i += 3;
            else
                i++;
            while (i < text.Length && IsWord(text[i]) && IsWord(text[i - 1]))
                i++;
            tokens.Add(text[start..i]);
        }

        return tokens;

        static bool IsWord(char c) => char.IsAsciiLetterOrDigit(c) || c == '_';
    }

    private CType ParseType()
    {
        var words = new List<string>();
        bool isConst = false;
        for (; Peek.Length > 0 && (char.IsAsciiLetter(Peek[0]) || Peek[0] == '_'); _next++)
        {
            if (Peek == "const")
                isConst = true;
            else if (Peek is not ("struct" or "enum" or "union" or "volatile" or "restrict"))
                words.Add(Peek);
        }

        if (words.Count == 0)
            throw new FormatException($"a type is expected before '{Peek}'");
        return ParseDeclarator()(new CNamedType(string.Join(' ', words), isConst));
    }

    // Parses a declarator. The result is a delegate, which receives the type on the left of the declarator and returns the declared type. The delegate applies
    // the part inside the parentheses last. For example, int (*)(void) is a pointer to a function that returns int.
    private Func<CType, CType> ParseDeclarator()
    {
        int pointers = 0;
        while (Peek is "*" or "const" or "restrict" or "volatile")
        {
            if (Peek == "*")
                pointers++;
            _next++;
        }

        Func<CType, CType> inner = type => type;
        if (Peek == "(" && _next + 1 < _tokens.Count && _tokens[_next + 1] == "*")
        {
            _next++;
            inner = ParseDeclarator();
            Expect(")");
        }

        var suffixes = new List<Func<CType, CType>>();
        while (Peek is "(" or "[")
            suffixes.Add(Peek == "[" ? ParseArray() : ParseParameters());
        return type =>
        {
            for (int i = 0; i < pointers; i++)
                type = new CPointerType(type);
            for (int i = suffixes.Count - 1; i >= 0; i--)
                type = suffixes[i](type);
            return inner(type);
        };
    }

    private Func<CType, CType> ParseArray()
    {
        Expect("[");
        int? length = null;
        if (Peek != "]")
            length = int.Parse(_tokens[_next++], System.Globalization.CultureInfo.InvariantCulture);
        Expect("]");
        return element => new CArrayType(element, length);
    }

    private Func<CType, CType> ParseParameters()
    {
        Expect("(");
        var parameters = new List<CType>();
        bool variadic = false;
        while (Peek != ")")
        {
            if (Peek == "...")
            {
                variadic = true;
                _next++;
            }

            else
                parameters.Add(ParseType());
            if (Peek == ",")
                _next++;
            else if (Peek != ")")
                throw new FormatException($"')' is expected before '{Peek}'");
        }

        Expect(")");
        if (parameters is [CNamedType { Name: "void" }])
            parameters.Clear();
        return returns => new CFunctionType(returns, parameters, variadic);
    }

    private void Expect(string token)
    {
        if (Peek != token)
            throw new FormatException($"'{token}' is expected before '{Peek}'");
        _next++;
    }
}
