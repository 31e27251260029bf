using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using Native.LibUsb.Generator.Settings;

namespace Native.LibUsb.Generator.Tests;

public class SettingsTests
{
    private const string Header = """
        enum sample_flags { SAMPLE_A = 1 };
        int sample_number(void);
        """;

    [Theory]
    [InlineData("""{ "flag": [] }""", "there is no setting 'flag' (did you mean 'flags'?)")]
    [InlineData("""{ "exclude": { "function": {} } }""", "there is no setting 'exclude.function' (did you mean 'functions'?)")]
    [InlineData("""{ "since": { "recrods": {} } }""", "there is no setting 'since.recrods' (did you mean 'records'?)")]
    [InlineData("""{ "wholly-other": 1 }""", "there is no setting 'wholly-other'")]
    [InlineData("""{ "exclude": [] }""", "exclude. must be an object")]
    [InlineData("[]", "the file must be an object")]
    public void Unknown_settings_are_named_with_the_nearest_known_one(string settings, string message) =>
        Assert.Equal($"settings.json: error: {message}", Assert.Single(Snippet.Errors(Header, settings)));

    [Theory]
    [InlineData("{\n  \"flags\": [\n}", "settings.json:3: error: ")]
    [InlineData("""{ "flags": "sample_flags" }""", "settings.json:1: error: ")]
    [InlineData("""{ "flags": null }""", "settings.json:1: error: ")]
    [InlineData("""{ "flags": [], "flags": [] }""", "settings.json: error: Duplicate property 'flags'")]
    public void Broken_json_is_an_error_with_its_line(string settings, string start) =>
        Assert.StartsWith(start, Assert.Single(Snippet.Errors(Header, settings)), StringComparison.Ordinal);

    [Theory]
    [InlineData("""{ "flags": ["sample_flgas"] }""", "flags: the header has no enum 'sample_flgas' (did you mean 'sample_flags'?)")]
    [InlineData("""{ "flags": ["sample_flags", "sample_flags"] }""", "flags: 'sample_flags' is there twice")]
    [InlineData("""{ "suppressGcTransition": ["sample_nubmer"] }""", "suppressGcTransition: the header has no imported function 'sample_nubmer' (did you mean 'sample_number'?)")]
    [InlineData("""{ "exclude": { "functions": { "nothing_like_it": "x" } } }""", "exclude.functions: the header has no function 'nothing_like_it'")]
    [InlineData("""{ "exclude": { "inlines": { "sample_number": "x" } } }""", "exclude.inlines: the header has no inline function 'sample_number'")]
    [InlineData("""{ "exclude": { "macros": { "SAMPLE_GONE": "x" } } }""", "exclude.macros: the header has no macro 'SAMPLE_GONE'")]
    [InlineData("""{ "exclude": { "functions": { "sample_number": " " } } }""", "'sample_number' needs a reason")]
    [InlineData("""{ "external": { "timeval": "written by hand" } }""", "external: the header has no use of a type 'timeval'")]
    public void Names_that_the_header_does_not_have_are_errors(string settings, string message) =>
        Assert.Equal($"settings.json: error: {message}", Assert.Single(Snippet.Errors(Header, settings)));

    [Fact]
    public void An_excluded_function_cannot_have_other_settings() => Assert.Equal(
        "settings.json: error: suppressGcTransition: the header has no imported function 'sample_number'",
        Assert.Single(Snippet.Errors(Header, """{ "exclude": { "functions": { "sample_number": "x" } }, "suppressGcTransition": ["sample_number"] }""")));

    [Fact]
    public void Versions_must_be_complete_and_must_be_versions() => Assert.Equal(
        [
            "settings.json: error: baseVersion 'new' is no version",
            "settings.json: error: since.functions: the header has no function 'sample_numbre' (did you mean 'sample_number'?)",
            "input.h:2:5: error: function 'sample_number' has no version; name it in settings.json, since.functions",
            "settings.json: error: since.enums: 'one' of 'sample_flags' is no version",
        ],
        Snippet.Errors(Header, """{ "baseVersion": "new", "since": { "functions": { "sample_numbre": "1.0.22" }, "enums": { "sample_flags": "one" } } }"""));

    [Fact]
    public void The_schema_describes_every_setting_and_no_other()
    {
        using var schema = JsonDocument.Parse(File.ReadAllText(Path.Combine(TestRepository.Instance.Root, "generator", "settings.schema.json")));
        Check(schema.RootElement, typeof(GeneratorSettings));

        static void Check(JsonElement schema, Type type)
        {
            var described = schema.GetProperty("properties").EnumerateObject().ToDictionary(property => property.Name, property => property.Value);
            IList<JsonPropertyInfo> knobs = SettingsJson.Default.GetTypeInfo(type)!.Properties;
            Assert.Equal(knobs.Select(knob => knob.Name).Order(), described.Keys.Order());
            Assert.False(schema.GetProperty("additionalProperties").GetBoolean());
            foreach (JsonPropertyInfo knob in knobs)
            {
                JsonElement description = described[knob.Name];
                Assert.NotEmpty(description.GetProperty("description").GetString()!);
                Assert.True(description.TryGetProperty("default", out _), $"{knob.Name} has no default in the schema");
                Assert.True(description.TryGetProperty("type", out _), $"{knob.Name} has no type in the schema");
                if (SettingsJson.Default.GetTypeInfo(knob.PropertyType) is { } inner && description.TryGetProperty("properties", out _))
                    Check(description, inner.Type);
            }
        }
    }
}
