using System.Text.Json;
using System.Text.Json.Serialization;
using System.Text.Json.Serialization.Metadata;

namespace Native.LibUsb.Generator.Settings;

/// <summary>Represents the facts that the header cannot express. <c>settings.schema.json</c> documents each setting.</summary>
internal sealed record GeneratorSettings
{
    [JsonPropertyName("$schema")]
    public string? Schema { get; set; }

    public string BaseVersion { get; set; } = "";

    public IReadOnlyList<string> Flags { get; set; } = [];

    public IReadOnlyList<string> SuppressGcTransition { get; set; } = [];

    public ExcludeSettings Exclude { get; set; } = new();

    public IReadOnlyDictionary<string, string> External { get; set; } = new Dictionary<string, string>();

    public SinceSettings? Since { get; set; }

    /// <summary>
    /// Reads a settings file. For an unknown setting, the method reports an error that suggests the setting with the most similar name.
    /// </summary>
    public static GeneratorSettings Read(string file)
    {
        string text;
        try
        {
            text = File.ReadAllText(file);
        }
        catch (IOException e)
        {
            throw new GeneratorException($"{file}: error: {e.Message}");
        }

        try
        {
            using var document = JsonDocument.Parse(text, s_documentOptions);
            var errors = new List<string>();
            CheckNames(document.RootElement, typeof(GeneratorSettings), "", file, errors);
            if (errors.Count > 0)
                throw new GeneratorException(errors);
            return JsonSerializer.Deserialize(document, SettingsJson.Default.GeneratorSettings)!;
        }
        catch (JsonException e)
        {
            string line = e.LineNumber is { } number ? $":{number + 1}" : "";
            throw new GeneratorException($"{file}{line}: error: {e.Message}");
        }
    }

    private static readonly JsonDocumentOptions s_documentOptions = new() { AllowDuplicateProperties = false };

    private static void CheckNames(JsonElement json, Type type, string path, string file, List<string> errors)
    {
        if (json.ValueKind != JsonValueKind.Object)
        {
            errors.Add($"{file}: error: {(path.Length == 0 ? "the file" : path)} must be an object");
            return;
        }

        IList<JsonPropertyInfo> knobs = SettingsJson.Default.GetTypeInfo(type)!.Properties;
        foreach (JsonProperty property in json.EnumerateObject())
        {
            JsonPropertyInfo? knob = knobs.FirstOrDefault(candidate => candidate.Name == property.Name);
            if (knob is null)
                errors.Add($"{file}: error: there is no setting '{path}{property.Name}'{Suggestion.For(property.Name, knobs.Select(candidate => candidate.Name))}");
            else if (knob.PropertyType == typeof(ExcludeSettings) || knob.PropertyType == typeof(SinceSettings))
                CheckNames(property.Value, knob.PropertyType, $"{path}{property.Name}.", file, errors);
        }
    }
}

/// <summary>Represents the declarations that are not generated, each with the reason.</summary>
internal sealed record ExcludeSettings
{
    public IReadOnlyDictionary<string, string> Functions { get; set; } = new Dictionary<string, string>();

    public IReadOnlyDictionary<string, string> Inlines { get; set; } = new Dictionary<string, string>();

    public IReadOnlyDictionary<string, string> Macros { get; set; } = new Dictionary<string, string>();
}

/// <summary>
/// Represents lists of declarations, one list for each kind of declaration. Each entry contains the name of a declaration and the libusb version that
/// introduced the declaration. The generated files contain the declarations in the order of these lists.
/// </summary>
internal sealed record SinceSettings
{
    public OrderedDictionary<string, string> Functions { get; set; } = [];

    public OrderedDictionary<string, string> Inlines { get; set; } = [];

    public OrderedDictionary<string, string> Records { get; set; } = [];

    public OrderedDictionary<string, string> Enums { get; set; } = [];

    public OrderedDictionary<string, string> Callbacks { get; set; } = [];

    public OrderedDictionary<string, string> Constants { get; set; } = [];
}

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase, RespectNullableAnnotations = true)]
[JsonSerializable(typeof(GeneratorSettings))]
internal sealed partial class SettingsJson : JsonSerializerContext;
