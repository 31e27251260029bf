using System.Text.Json;

namespace Native.LibUsb.Generator.Clang;

/// <summary>Represents one node of clang's syntax tree, with its complete location.</summary>
internal sealed class AstNode
{
    private readonly JsonElement _json;

    private AstNode(JsonElement json, SourceLocation location, SourceLocation begin, IReadOnlyList<AstNode> children)
    {
        _json = json;
        Location = location;
        Begin = begin;
        Children = children;
    }

    /// <summary>Gets the location of the declared name.</summary>
    public SourceLocation Location { get; }

    /// <summary>Gets the location of the first token.</summary>
    public SourceLocation Begin { get; }

    public IReadOnlyList<AstNode> Children { get; }

    public string Kind => Text("kind");

    public string Name => Text("name");

    public string Id => Text("id");

    /// <summary>Gets the C type as it is written in the header.</summary>
    public string Type => _json.TryGetProperty("type", out JsonElement type) ? type.GetProperty("qualType").GetString()! : "";

    public string Text(string property) => _json.TryGetProperty(property, out JsonElement value) ? value.GetString() ?? "" : "";

    public bool Is(string property) => _json.TryGetProperty(property, out JsonElement value) && value.ValueKind == JsonValueKind.True;

    /// <summary>Gets the id of the declaration inside a typedef, as in <c>typedef enum {...} name</c>.</summary>
    public string OwnedTagId => _json.TryGetProperty("ownedTagDecl", out JsonElement tag) ? tag.GetProperty("id").GetString()! : "";

    public IEnumerable<AstNode> Descendants() => Children.SelectMany(child => child.Descendants().Prepend(child));

    /// <summary>Reads a dump. The document may be disposed of only after the last use of the nodes.</summary>
    public static AstNode Read(JsonDocument document) => new Reader().Read(document.RootElement);

    /// <summary>
    /// Reads the nodes of clang's syntax tree. clang prints the file and the line of a location only if they differ from those of the preceding location. The
    /// reader therefore stores the file and the line of the preceding location.
    /// </summary>
    private sealed class Reader
    {
        private string _file = "";
        private int _line;

        public AstNode Read(JsonElement json)
        {
            SourceLocation location = SourceLocation.None, begin = SourceLocation.None;
            var children = new List<AstNode>();
            foreach (JsonProperty property in json.EnumerateObject())
            {
                switch (property.Name)
                {
                    case "loc":
                        location = ReadLocation(property.Value);
                        break;
                    case "range":
                        begin = ReadLocation(property.Value.GetProperty("begin"));
                        ReadLocation(property.Value.GetProperty("end"));
                        break;
                    case "inner":
                        foreach (JsonElement child in property.Value.EnumerateArray())
                            children.Add(Read(child));
                        break;
                }
            }

            return new AstNode(json, location, begin, children);
        }

        private SourceLocation ReadLocation(JsonElement json)
        {
            if (json.TryGetProperty("spellingLoc", out JsonElement spelling))
            {
                ReadLocation(spelling); // inside a macro; messages have the location at which the macro is used
                return ReadLocation(json.GetProperty("expansionLoc"));
            }

            if (!json.TryGetProperty("offset", out JsonElement offset))
                return SourceLocation.None;
            if (json.TryGetProperty("file", out JsonElement file))
                _file = file.GetString()!;
            if (json.TryGetProperty("line", out JsonElement line))
                _line = line.GetInt32();
            return new SourceLocation(_file, _line, json.GetProperty("col").GetInt32(), offset.GetInt32());
        }
    }
}
