using System.Globalization;
using System.Text;
using System.Text.Json;
using Native.LibUsb.Generator.Model;

namespace Native.LibUsb.Generator.Clang;

/// <summary>Reads the declarations of the input header from clang's output.</summary>
internal sealed class HeaderReader
{
    private const string ValuePrefix = "generator_value_of_";

    private static readonly JsonDocumentOptions s_documentOptions = new() { MaxDepth = 512 };

    private readonly ClangCompiler _clang;
    private readonly string _input;
    private readonly InputErrors _errors;
    private readonly HashSet<string> _refused = [];
    private readonly Dictionary<string, string> _sources = [];

    private HeaderReader(ClangCompiler clang, string input, InputErrors errors)
    {
        _clang = clang;
        _input = input;
        _errors = errors;
    }

    /// <summary>Reads the header, and leaves out the parts that the generator refuses.</summary>
    /// <param name="clang">The compiler.</param>
    /// <param name="input">The header.</param>
    /// <param name="excludedMacros">The names of the macros that the settings exclude. Null means that the settings could not be read.</param>
    /// <param name="errors">Receives an error for each part that is refused.</param>
    /// <param name="macros">All macros of the header, including the excluded ones.</param>
    /// <exception cref="GeneratorException">clang does not compile the header.</exception>
    public static CHeader Read(ClangCompiler clang, string input, IReadOnlyCollection<string>? excludedMacros, InputErrors errors, out IReadOnlyList<Macro> macros)
    {
        var reader = new HeaderReader(clang, Path.GetFullPath(input), errors);
        macros = Macro.Read(clang.Preprocess(reader._input), clang.IsInterface);
        return reader.ReadDeclarations(excludedMacros is null ? [] : [.. macros.Where(macro => !excludedMacros.Contains(macro.Name))]);
    }

    private CHeader ReadDeclarations(List<Macro> macros)
    {
        using var document = JsonDocument.Parse(_clang.DumpAst(_input), s_documentOptions);
        var nodes = AstNode.Read(document).Children.Where(node => _clang.IsInterface(node.Location.File)).ToList();

        var enums = new List<CEnum>();
        var records = new OrderedDictionary<string, CRecord>();
        var callbacks = new List<CCallback>();
        var functions = new OrderedDictionary<string, CFunction>();
        var typedefs = new Dictionary<string, CType>();
        AstNode? unnamed = null;
        foreach (AstNode? node in nodes)
        {
            if (node.Kind != "TypedefDecl")
                RefuseUnnamed(ref unnamed);

            switch (node.Kind)
            {
                case "EnumDecl" when node.Name.Length > 0:
                    enums.Add(ReadEnum(node, node.Name));
                    break;
                case "EnumDecl" or "RecordDecl" when node.Name.Length == 0:
                    unnamed = node; // the typedef that follows names it
                    break;
                case "RecordDecl":
                    CRecord record = ReadRecord(node, node.Name);
                    if (!records.TryGetValue(record.Name, out CRecord? known) || known.Fields is null)
                        records[record.Name] = record;
                    break;
                case "TypedefDecl":
                    ReadTypedef(node, unnamed, enums, records, callbacks, typedefs);
                    unnamed = null;
                    break;
                case "FunctionDecl":
                    functions[node.Name] = ReadFunction(node);
                    break;
                case "VarDecl":
                    Refuse(node.Name, $"{node.Location}: error: '{node.Name}' is a variable; a binding cannot import it");
                    break;
            }
        }

        RefuseUnnamed(ref unnamed);
        enums = MergeAdditions(enums);
        return new CHeader(ReadConstants(macros, enums), enums, [.. records.Values], callbacks, [.. functions.Values], typedefs, _refused);
    }

    private void RefuseUnnamed(ref AstNode? unnamed)
    {
        if (unnamed is not null)
            Refuse("", $"{unnamed.Location}: error: an enum or record without a name and without a typedef has no name in C# either");
        unnamed = null;
    }

    private void ReadTypedef(
        AstNode node, AstNode? unnamed, List<CEnum> enums, OrderedDictionary<string, CRecord> records, List<CCallback> callbacks, Dictionary<string, CType> typedefs)
    {
        string? owned = node.Children.Select(child => child.OwnedTagId).FirstOrDefault(id => id.Length > 0);
        if (unnamed is not null && owned == unnamed.Id)
        {
            if (unnamed.Kind == "EnumDecl")
                enums.Add(ReadEnum(unnamed, node.Name));
            else
                records[node.Name] = ReadRecord(unnamed, node.Name) with { Spelling = node.Name };
            return;
        }

        if (Parse(node, node.Name) is not { } type)
            return;
        typedefs[node.Name] = type;
        if (type is CPointerType { Target: CFunctionType function })
            callbacks.Add(new CCallback(node.Name, node.Location, function, NameParameters(node, function)));
    }

    // The parameter names of a function pointer are not part of its type, so clang's dump does not contain them. The method reads the names from the
    // source.
    private List<CParameter> NameParameters(AstNode node, CFunctionType function)
    {
        string source = Source(node.Location.File);
        int start = source.IndexOf('(', node.Location.Offset);
        int end = source.IndexOf(';', node.Location.Offset);
        string list = source[(start + 1)..source.LastIndexOf(')', end)];
        string[] declarations = function.Parameters.Count == 0 ? [] : list.Split(',');
        var parameters = new List<CParameter>();
        if (declarations.Length != function.Parameters.Count)
        {
            Refuse(node.Name, $"{node.Location}: error: the parameters of '{node.Name}' are not understood; a function pointer among them needs a typedef of its own");
            return parameters;
        }

        for (int i = 0; i < function.Parameters.Count; i++)
        {
            string text = declarations[i].Trim();
            string name = new string([.. text.Reverse().TakeWhile(c => char.IsAsciiLetterOrDigit(c) || c == '_').Reverse()]);
            parameters.Add(new CParameter(name, function.Parameters[i], text[..^name.Length].Trim()));
        }

        return parameters;
    }

    private CEnum ReadEnum(AstNode node, string name)
    {
        var members = new List<CEnumMember>();
        long next = 0L;
        foreach (AstNode? member in node.Children.Where(child => child.Kind == "EnumConstantDecl"))
        {
            next = ReadValue(member) ?? next;
            bool isHexadecimal = member.Descendants().Any(literal => literal.Kind == "IntegerLiteral" && IsHexadecimal(literal.Begin));
            if (next is < int.MinValue or > int.MaxValue)
                Refuse(name, $"{member.Location}: error: '{member.Name}' = {next} does not fit in an int, which is what an enum is here");
            members.Add(new CEnumMember(member.Name, member.Location, next++, isHexadecimal));
        }

        return new CEnum(name, node.Location, members);
    }

    // Reads the constant expression that clang made of an enumerator's initializer. The expression may be inside a cast.
    private static long? ReadValue(AstNode member) => member.Descendants().FirstOrDefault(child => child.Kind == "ConstantExpr") is { } value
        ? long.Parse(value.Text("value"), CultureInfo.InvariantCulture) : null;

    private bool IsHexadecimal(SourceLocation literal) =>
        literal.File.Length > 0 && literal.Offset + 2 < Source(literal.File).Length
        && Source(literal.File).AsSpan(literal.Offset).StartsWith("0x", StringComparison.OrdinalIgnoreCase);

    private string Source(string file)
    {
        // clang's offsets count bytes, and Latin-1 has one char for each byte
        if (!_sources.TryGetValue(file, out string? text))
            _sources[file] = text = File.ReadAllText(file, Encoding.Latin1);
        return text;
    }

    private CRecord ReadRecord(AstNode node, string name) => ReadRecord(node, name, declaration: name);

    private CRecord ReadRecord(AstNode node, string name, string declaration)
    {
        bool isUnion = node.Text("tagUsed") == "union";
        string spelling = $"{node.Text("tagUsed")} {name}";
        bool isPacked = node.Children.Any(child => child.Kind is "PackedAttr" or "MaxFieldAlignmentAttr");
        if (!node.Is("completeDefinition"))
            return new CRecord(name, spelling, node.Location, isUnion, isPacked, null);

        var fields = new List<CField>();
        CRecord? nested = null;
        foreach (AstNode child in node.Children)
        {
            if (child.Kind == "RecordDecl")
            {
                nested = ReadRecord(child, child.Name, declaration);
                if (child.Name.Length > 0)
                    Refuse(declaration, $"{child.Location}: error: '{child.Name}' is declared inside '{name}'; declare it at file scope");
            }
            else if (child.Kind == "FieldDecl")
            {
                if (child.Is("isBitfield"))
                    Refuse(declaration, $"{child.Location}: error: '{name}.{child.Name}' is a bit-field; C# has none");
                else if (child.Name.Length == 0)
                    Refuse(declaration, $"{child.Location}: error: '{name}' has a member without a name; C# has none");
                else if (Parse(child, declaration) is { } type)
                    fields.Add(new CField(child.Name, child.Location, type, child.Type, type is CAnonymousType ? nested : null));
            }
        }

        return new CRecord(name, spelling, node.Location, isUnion, isPacked, fields);
    }

    private CFunction ReadFunction(AstNode node)
    {
        var parameters = new List<CParameter>();
        foreach (AstNode? child in node.Children.Where(child => child.Kind == "ParmVarDecl"))
        {
            string name = child.Name.Length > 0 ? child.Name : $"arg{parameters.Count}";
            if (Parse(child, node.Name) is { } type)
                parameters.Add(new CParameter(name, type, child.Type));
        }

        string returnsText = node.Type[..node.Type.IndexOf('(', StringComparison.Ordinal)].Trim();
        CType returns = Parse(node, node.Name) is CFunctionType function ? function.Returns : new CNamedType("void", false);
        return new CFunction(node.Name, node.Location, returns, returnsText, parameters, node.Is("variadic"), node.Text("storageClass") == "static");
    }

    // The rest of a refused declaration is still read, so that the settings and the texts can be compared with its names.
    private void Refuse(string declaration, string error)
    {
        _refused.Add(declaration);
        _errors.Add(error);
    }

    private CType? Parse(AstNode node, string declaration)
    {
        try
        {
            return CTypeParser.Parse(node.Type);
        }
        catch (FormatException e)
        {
            Refuse(declaration, $"{node.Location}: error: the type of '{node.Name}': {e.Message}");
            return null;
        }
    }

    /// <summary>Adds the members of <c>enum E__added</c> to <c>E</c>. The comment at the beginning of libusb.h describes the rules.</summary>
    private List<CEnum> MergeAdditions(List<CEnum> enums)
    {
        const string added = "__added", changed = "__changed";
        var merged = new List<CEnum>(enums.Where(item => !item.Name.Contains(added, StringComparison.Ordinal)));
        foreach (CEnum? addition in enums.Where(item => item.Name.Contains(added, StringComparison.Ordinal)))
        {
            string name = addition.Name[..addition.Name.IndexOf(added, StringComparison.Ordinal)];
            int index = merged.FindIndex(item => item.Name == name);
            if (index < 0)
            {
                Refuse(name, $"{addition.Location}: error: '{addition.Name}' adds to enum '{name}', which the header does not have");
                continue;
            }

            var members = merged[index].Members.ToList();
            foreach (CEnumMember member in addition.Members)
            {
                bool isChange = member.Name.EndsWith(changed, StringComparison.Ordinal);
                if (!isChange && !member.Name.EndsWith(added, StringComparison.Ordinal))
                {
                    Refuse(name, $"{member.Location}: error: '{member.Name}' must end in {added} or {changed}");
                    continue;
                }

                CEnumMember plain = member with { Name = member.Name[..^(isChange ? changed : added).Length] };
                int existing = members.FindIndex(item => item.Name == plain.Name);
                if (isChange && existing < 0)
                    Refuse(name, $"{member.Location}: error: enum '{name}' has no member '{plain.Name}' to change");
                else if (isChange)
                    members[existing] = plain;
                else if (existing < 0)
                    members.Add(plain);
                else if (members[existing].Value != plain.Value)
                    Refuse(name, $"{member.Location}: error: '{plain.Name}' is {members[existing].Value} in the header and {plain.Value} here");
            }

            merged[index] = merged[index] with { Members = [.. members.OrderBy(member => member.Value)] };
        }

        return merged;
    }

    /// <summary>
    /// Evaluates the macros with clang. For each macro, clang compiles an enumerator whose value is the macro. If the enumerator has an error, clang reports
    /// the line of the macro's definition.
    /// </summary>
    private List<CConstant> ReadConstants(List<Macro> macros, List<CEnum> enums)
    {
        var functionLike = macros.Where(macro => macro.TakesArguments || macro.Body.Length == 0).ToList();
        foreach (Macro? macro in functionLike)
        {
            string what = macro.TakesArguments ? "takes arguments" : "is empty";
            Refuse(macro.Name, $"{macro.Location}: error: macro '{macro.Name}' {what}, so it is no constant; name it in settings.json, exclude.macros, with the reason");
        }

        macros = macros.Except(functionLike).ToList();
        if (macros.Count == 0)
            return [];

        _errors.Try(() => Evaluate(macros), out Dictionary<string, long>? values); // without values, the names are still compared
        return macros.ConvertAll(macro => new CConstant(
            macro.Name, macro.Location, values?[macro.Name] ?? 0, IsHexadecimal(macro.Body, macros), FindMember(macro.Body, enums)));
    }

    private Dictionary<string, long> Evaluate(List<Macro> macros)
    {
        using var probe = new TemporaryHeader(_input);
        foreach (Macro macro in macros)
            probe.Add($"enum {{ {ValuePrefix}{macro.Name} = ({macro.Name}) }};", macro.Location);
        using var document = JsonDocument.Parse(_clang.DumpAst(probe.Save()), s_documentOptions);
        return AstNode.Read(document).Children.Where(node => node.Kind == "EnumDecl").SelectMany(node => node.Children)
            .Where(member => member.Name.StartsWith(ValuePrefix, StringComparison.Ordinal))
            .ToDictionary(member => member.Name[ValuePrefix.Length..], member => ReadValue(member)!.Value);
    }

    // A macro that is another name of a macro has the base of that macro.
    private static bool IsHexadecimal(string body, List<Macro> macros) =>
        body.Contains("0x", StringComparison.OrdinalIgnoreCase) || macros.Find(macro => macro.Name == body) is { } other && IsHexadecimal(other.Body, macros);

    private static (string Enum, string Member)? FindMember(string body, List<CEnum> enums) =>
        enums.Find(item => item.Members.Any(member => member.Name == body)) is { } owner ? (owner.Name, body) : null;
}
