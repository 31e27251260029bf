using System.Text.RegularExpressions;
using System.Xml;
using System.Xml.Linq;
using Native.LibUsb.Generator.Model;
using Native.LibUsb.Generator.Settings;

namespace Native.LibUsb.Generator.Docs;

/// <summary>
/// Represents the documentation texts of <c>generator/docs/*.xml</c>. Each declaration must have a text, and each text must have a declaration.
/// </summary>
internal sealed partial class DocLibrary
{
    private static readonly Dictionary<string, string> s_files = new()
    {
        ["function"] = "functions.xml",
        ["record"] = "records.xml",
        ["enum"] = "enums.xml",
        ["constant"] = "constants.xml",
        ["callback"] = "callbacks.xml",
    };

    private readonly Dictionary<(string Kind, string Name), DocText> _texts = [];
    private readonly InputErrors _errors;
    private readonly HashSet<string> _unreadable = []; // the kinds whose file is not well-formed XML

    private DocLibrary(InputErrors errors) => _errors = errors;

    /// <summary>Gets the text of a name; an empty text if the binding has no documentation.</summary>
    public DocText this[string kind, string name] => _texts.GetValueOrDefault((kind, name)) ?? new DocText();

    /// <summary>Reads the files.</summary>
    /// <param name="folder">The folder of the files. If it is <see langword="null"/>, the binding has no documentation.</param>
    /// <param name="errors">Receives the errors of the files.</param>
    public static DocLibrary Read(string? folder, InputErrors errors)
    {
        var library = new DocLibrary(errors);
        foreach ((string kind, string file) in s_files)
        {
            string path = Path.Combine(folder ?? "", file);
            if (folder is not null && File.Exists(path))
                library.ReadFile(path, kind);
        }

        return library;
    }

    private void ReadFile(string path, string kind)
    {
        XDocument document;
        try
        {
            document = XDocument.Load(path, LoadOptions.PreserveWhitespace | LoadOptions.SetLineInfo);
        }
        catch (XmlException e)
        {
            _errors.Add($"{path}:{e.LineNumber}:{e.LinePosition}: error: {e.Message}");
            _unreadable.Add(kind);
            return;
        }

        foreach (XElement element in document.Root!.Elements())
        {
            string? name = element.Attribute("name")?.Value;
            if (element.Name.LocalName != kind || name is null)
                Report(path, element, $"<{kind} name=\"...\"> is expected here, not <{element.Name.LocalName}>");
            else if (!_texts.TryAdd((kind, name), ReadText(path, element, kind)))
                Report(path, element, $"{kind} '{name}' is documented twice");
        }
    }

    private DocText ReadText(string path, XElement element, string kind)
    {
        var text = new DocText();
        if (kind == "constant")
        {
            text.Summary = Inner(path, element);
            return text;
        }

        string part = kind switch { "record" => "field", "enum" => "member", _ => "param" };
        foreach (XElement child in element.Elements())
        {
            string name = child.Name.LocalName;
            if (name == "summary")
                text.Summary = Inner(path, child);
            else if (name == "remarks")
                text.Remarks = Inner(path, child);
            else if (name == "returns" && part == "param")
                text.Returns = Inner(path, child);
            else if (name != part || child.Attribute("name") is not { } attribute)
                Report(path, child, $"<{name}> is not known here{Suggestion.For(name, ["summary", "remarks", "returns", part])}");
            else if (!text.Parts.TryAdd(attribute.Value, Inner(path, child)))
                Report(path, child, $"'{attribute.Value}' is there twice");
        }

        return text;
    }

    private string Inner(string path, XElement element)
    {
        string text = WhiteSpace().Replace(string.Concat(element.Nodes().Select(node => node.ToString(SaveOptions.DisableFormatting))), " ").Trim();
        if (text.Length == 0)
            Report(path, element, $"<{element.Name.LocalName}> is empty");
        return text;
    }

    private void Report(string path, XElement element, string message)
    {
        var line = (IXmlLineInfo)element;
        _errors.Add($"{path}:{line.LineNumber}:{line.LinePosition}: error: {message}");
    }

    /// <summary>
    /// Compares the texts with the declarations. If the generator has refused a part of a declaration, the method checks only that the declaration has a text
    /// with a summary.
    /// </summary>
    public void Check(BindingModel model)
    {
        CheckKind(model, "function", model.Functions, (function, text) => Parts(
            "function", function.Name, "parameter", text, function.Parameters.Select(parameter => parameter.Name), function.Returns is CNamedType { Name: "void" }));
        CheckKind(model, "callback", model.Callbacks, (callback, text) => Parts(
            "callback", callback.Name, "parameter", text, callback.Parameters.Select(parameter => parameter.Name), callback.Type.Returns is CNamedType { Name: "void" }));
        CheckKind(model, "record", model.Records, (record, text) => Parts("record", record.Name, "field", text, FieldNames(record), true));
        CheckKind(model, "enum", model.Enums, (item, text) => Parts("enum", item.Name, "member", text, item.Members.Select(member => member.Name), true));
        CheckKind(model, "constant", model.Constants, (_, _) => { });
    }

    // The members of a union inside a record have their texts among those of the record's fields.
    private static IEnumerable<string> FieldNames(CRecord record) =>
        (record.Fields ?? []).SelectMany(field => field.Nested is { } nested ? FieldNames(nested).Prepend(field.Name) : [field.Name]);

    private void CheckKind<T>(BindingModel model, string kind, IReadOnlyList<T> declarations, Action<T, DocText> check)
        where T : IDeclaration
    {
        if (_unreadable.Contains(kind))
            return;
        var names = declarations.Select(declaration => declaration.Name).ToHashSet();
        foreach ((string _, string? name) in _texts.Keys.Where(key => key.Kind == kind))
            if (!names.Contains(name))
                _errors.Add($"{s_files[kind]}: error: there is no {kind} '{name}'{Suggestion.For(name, names)}");
        foreach (T declaration in declarations)
        {
            if (!_texts.TryGetValue((kind, declaration.Name), out DocText? text))
                _errors.Add($"{s_files[kind]}: error: {kind} '{declaration.Name}' has no text");
            else if (text.Summary is null)
                _errors.Add($"{s_files[kind]}: error: {kind} '{declaration.Name}' has no summary");
            else if (!model.IsRefused(declaration))
                check(declaration, text);
        }
    }

    private void Parts(string kind, string owner, string part, DocText text, IEnumerable<string> names, bool returnsNothing)
    {
        var all = names.ToHashSet();
        foreach (string? name in all.Where(name => !text.Parts.ContainsKey(name)))
            _errors.Add($"{s_files[kind]}: error: {part} '{name}' of {kind} '{owner}' has no text");
        foreach (string? name in text.Parts.Keys.Where(name => !all.Contains(name)))
            _errors.Add($"{s_files[kind]}: error: {kind} '{owner}' has no {part} '{name}'{Suggestion.For(name, all)}");
        if (!returnsNothing && text.Returns is null)
            _errors.Add($"{s_files[kind]}: error: {kind} '{owner}' has no text for its result");
        if (returnsNothing && text.Returns is not null)
            _errors.Add($"{s_files[kind]}: error: {kind} '{owner}' returns nothing, but has a text for it");
    }

    [GeneratedRegex(@"\s+")]
    private static partial Regex WhiteSpace();
}
