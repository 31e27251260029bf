namespace Native.LibUsb.Generator.Tests;

/// <summary>Tests that the generator refuses invalid input, and reports the place of the error.</summary>
public class InputErrorTests
{
    [Fact]
    public void Errors_of_the_compiler_are_reported_with_file_and_line() => Assert.Equal(
        ["input.h:2:1: error: unknown type name 'itn'", "input.h:3:18: error: unknown type name 'strnig'"],
        Snippet.Errors("int sample_first(void);\nitn sample_second(void);\nint sample_third(strnig *text);\n"));

    [Fact]
    public void A_header_that_includes_a_missing_file_is_an_error() => Assert.Equal(
        "input.h:1:10: fatal error: 'sample/missing.h' file not found", Assert.Single(Snippet.Errors("#include <sample/missing.h>\n")));

    [Fact]
    public void A_variadic_function_is_refused_unless_it_is_excluded() => Assert.Equal(
        "input.h:2:5: error: 'sample_set' is variadic, which .NET cannot call; name it in settings.json, exclude.functions, with the reason",
        Assert.Single(Snippet.Errors("int sample_get(void);\nint sample_set(int option, ...);\n")));

    [Fact]
    public void An_inline_function_is_refused_unless_it_is_excluded() => Assert.Equal(
        "input.h:2:19: error: 'sample_two' is inline, so no library exports it; port it by hand and name it in settings.json, exclude.inlines",
        Assert.Single(Snippet.Errors("static inline int sample_one(void) { return 1; }\nstatic inline int sample_two(void) { return 2; }\n",
            """{ "exclude": { "inlines": { "sample_one": "ported by hand" } } }""")));

    [Theory]
    [InlineData("#define SAMPLE_H\n", "input.h:1: error: macro 'SAMPLE_H' is empty, so it is no constant; name it in settings.json, exclude.macros, with the reason")]
    [InlineData("\n#define SAMPLE_F(x) x\n", "input.h:2: error: macro 'SAMPLE_F' takes arguments, so it is no constant; name it in settings.json, exclude.macros, with the reason")]
    [InlineData("\n\n#define SAMPLE_TEXT \"text\"\n", "input.h:3:8: error: integer constant expression must have integer type, not 'char[5]'")]
    public void A_macro_without_a_value_is_refused_unless_it_is_excluded(string header, string message)
    {
        string error = Assert.Single(Snippet.Errors(header));
        // To evaluate the macro, the generator writes a line of C. The column in clang's message refers to this line, so the test ignores the column.
        Assert.Equal(WithoutColumn(message), WithoutColumn(error));

        static string WithoutColumn(string text) => System.Text.RegularExpressions.Regex.Replace(text, @"^(\S+?:\d+)(:\d+)?:", "$1:");
    }

    [Theory]
    [InlineData("struct sample { int bits : 3; };", "input.h:1:21: error: 'sample.bits' is a bit-field; C# has none")]
    [InlineData("struct sample { union { int a; }; };", "'sample' has a member without a name; C# has none")]
    [InlineData("struct sample { struct inner { int a; } b; };", "'inner' is declared inside 'sample'; declare it at file scope")]
    [InlineData("enum { SAMPLE_LOOSE };", "input.h:1:1: error: an enum or record without a name and without a typedef has no name in C# either")]
    [InlineData("enum sample { SAMPLE_BIG = 0xffffffff };", "input.h:1:15: error: 'SAMPLE_BIG' = 4294967295 does not fit in an int, which is what an enum is here")]
    [InlineData("extern int sample_variable;", "input.h:1:12: error: 'sample_variable' is a variable; a binding cannot import it")]
    [InlineData("struct timeval; void sample(long double number);", "a type of 'sample': 'long double' is not known")]
    [InlineData("#include <sys/time.h>\nvoid sample(struct timeval *time);", "input.h:2:6: error: a type of 'sample': 'timeval' is not known; a type that is written by hand is named in settings.json, external")]
    [InlineData("void sample(_Complex float number);", "a type of 'sample'")]
    [InlineData("struct sample { unsigned char count; void *items[]; };", "input.h:1:8: error: 'sample' is larger in C than its fields are in C#, and not by the same size on every target")]
    [InlineData("struct sample { unsigned char count; double numbers[]; };", "'sample'")]
    [InlineData("struct sample { char c; int wide __attribute__((aligned(16))); };", "input.h:1:8: error: 'sample.wide' is at 16 in C and at 4 in C# for x86_64-linux-gnu")]
    public void C_without_a_counterpart_in_CSharp_is_refused(string header, string message) =>
        Assert.Contains(message, Snippet.Errors(header)[0], StringComparison.Ordinal);

    [Theory]
    [InlineData("enum none__added { SAMPLE_A__added = 1 };", "'none__added' adds to enum 'none', which the header does not have")]
    [InlineData("enum some__added { SAMPLE_B = 1 };", "'SAMPLE_B' must end in __added or __changed")]
    [InlineData("enum some__added { SAMPLE_A__added = 2 };", "'SAMPLE_A' is 1 in the header and 2 here")]
    [InlineData("enum some__added { SAMPLE_C__changed = 2 };", "enum 'some' has no member 'SAMPLE_C' to change")]
    public void Additions_to_an_enum_must_fit_it(string addition, string message) =>
        Assert.Contains($"error: {message}", Assert.Single(Snippet.Errors($"enum some {{ SAMPLE_A = 1 }};\n{addition}\n")), StringComparison.Ordinal);

    [Fact]
    public void One_run_reports_the_errors_of_the_header_the_settings_and_the_texts() => Assert.Equal(
        [
            "functions.xml: error: parameter 'number' of function 'sample_call' has no text",
            "input.h:1:28: error: 'sample_record.bits' is a bit-field; C# has none",
            "input.h:2:6: error: a type of 'sample_call': 'long double' is not known; a type that is written by hand is named in settings.json, external",
            "records.xml: error: record 'sample_other' has no text",
            "settings.json: error: flags: the header has no enum 'sample_flags'",
        ],
        Snippet.Errors(
            "struct sample_record { int bits : 3; };\nvoid sample_call(long double number);\nstruct sample_other { int number; };\n",
            """{ "flags": ["sample_flags"] }""",
            new Dictionary<string, string>
            {
                ["functions.xml"] = """<docs><function name="sample_call"><summary>x</summary></function></docs>""",
                ["records.xml"] = """<docs><record name="sample_record"><summary>x</summary><field name="bits">x</field></record></docs>""",
            }).Order(StringComparer.Ordinal));

    [Fact]
    public void A_file_that_cannot_be_read_does_not_hide_the_errors_of_the_others()
    {
        IReadOnlyList<string> errors = Snippet.Errors(
            "itn sample_first(void);\n", "{ ", new Dictionary<string, string> { ["functions.xml"] = "<docs>", ["enums.xml"] = "<docs><what/></docs>" });
        Assert.Equal(4, errors.Count);
        Assert.Contains(errors, error => error.StartsWith("docs/functions.xml:1:", StringComparison.Ordinal));
        Assert.Contains(errors, error => error.StartsWith("docs/enums.xml:1:", StringComparison.Ordinal));
        Assert.Contains(errors, error => error.StartsWith("settings.json:1: error: ", StringComparison.Ordinal));
        Assert.Contains("input.h:1:1: error: unknown type name 'itn'", errors);
    }

    [Fact]
    public void A_callback_with_a_type_that_has_no_counterpart_is_refused() => Assert.Contains(
        "a type of 'sample_cb': 'long double' is not known", Assert.Single(Snippet.Errors("typedef void (*sample_cb)(long double number);\n")), StringComparison.Ordinal);

    [Fact]
    public void A_compiler_of_another_version_is_refused_with_the_version_that_is_needed()
    {
        using var folder = new TemporaryFolder();
        string clang = folder.Write("clang", "#!/bin/sh\necho 'Debian clang version 99.0.1'\n");
        if (!OperatingSystem.IsWindows())
            File.SetUnixFileMode(clang, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
        GeneratorException exception = Assert.Throws<GeneratorException>(() => new Clang.ClangCompiler(clang, TestRepository.Instance.Stubs, "/usr/include"));
        Assert.StartsWith($"clang 14 is needed, and '{clang}' is \"Debian clang version 99.0.1\": install clang-14", Assert.Single(exception.Errors), StringComparison.Ordinal);
    }

    [Fact]
    public void A_missing_compiler_is_reported_in_one_line()
    {
        GeneratorException exception = Assert.Throws<GeneratorException>(() => new Clang.ClangCompiler("no-such-clang", TestRepository.Instance.Stubs, "/usr/include"));
        Assert.StartsWith("clang is needed and cannot be run as 'no-such-clang': ", Assert.Single(exception.Errors), StringComparison.Ordinal);
    }
}
