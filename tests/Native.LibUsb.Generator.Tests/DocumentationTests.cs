namespace Native.LibUsb.Generator.Tests;

public class DocumentationTests
{
    private const string Header = """
        #define SAMPLE_SIZE 4
        enum sample_code { SAMPLE_ONE = 1 };
        typedef int (*sample_cb)(int fd);
        struct sample_record { int number; union { int left; } value; };
        int sample_call(int number);
        void sample_void(void);
        """;

    private static Dictionary<string, string> Complete => new()
    {
        ["constants.xml"] = """<docs><constant name="SAMPLE_SIZE">x</constant></docs>""",
        ["enums.xml"] = """<docs><enum name="sample_code"><summary>x</summary><member name="SAMPLE_ONE">x</member></enum></docs>""",
        ["callbacks.xml"] = """<docs><callback name="sample_cb"><summary>x</summary><param name="fd">x</param><returns>x</returns></callback></docs>""",
        ["records.xml"] = """
            <docs><record name="sample_record"><summary>x</summary><field name="number">x</field><field name="value">x</field><field name="left">x</field></record></docs>
            """,
        ["functions.xml"] = """
            <docs>
            <function name="sample_call"><summary>x</summary><param name="number">x</param><returns>x</returns></function>
            <function name="sample_void"><summary>x</summary></function>
            </docs>
            """,
    };

    [Fact]
    public void Complete_texts_are_accepted() => Assert.Contains("/// <summary>x</summary>", Snippet.Generate(Header, docs: Complete)["Functions.g.cs"], StringComparison.Ordinal);

    [Theory]
    [InlineData("constants.xml", """<constant name="SAMPLE_SIZE">x</constant>""", "", "constants.xml: error: constant 'SAMPLE_SIZE' has no text")]
    [InlineData("enums.xml", """<member name="SAMPLE_ONE">x</member>""", "", "enums.xml: error: member 'SAMPLE_ONE' of enum 'sample_code' has no text")]
    [InlineData("enums.xml", "<summary>x</summary>", "", "enums.xml: error: enum 'sample_code' has no summary")]
    [InlineData("callbacks.xml", """<param name="fd">x</param>""", "", "callbacks.xml: error: parameter 'fd' of callback 'sample_cb' has no text")]
    [InlineData("callbacks.xml", "<returns>x</returns>", "", "callbacks.xml: error: callback 'sample_cb' has no text for its result")]
    [InlineData("records.xml", """<field name="number">x</field>""", "", "records.xml: error: field 'number' of record 'sample_record' has no text")]
    [InlineData("records.xml", """<field name="left">x</field>""", "", "records.xml: error: field 'left' of record 'sample_record' has no text")]
    [InlineData("functions.xml", """<function name="sample_void"><summary>x</summary></function>""", "", "functions.xml: error: function 'sample_void' has no text")]
    [InlineData("functions.xml", """<param name="number">x</param>""", "", "functions.xml: error: parameter 'number' of function 'sample_call' has no text")]
    public void A_missing_text_is_named(string file, string text, string replacement, string error) => Expect(file, text, replacement, error);

    [Theory]
    [InlineData("constants.xml", "</docs>", """<constant name="SAMPLE_SIEZ">x</constant></docs>""", "constants.xml: error: there is no constant 'SAMPLE_SIEZ' (did you mean 'SAMPLE_SIZE'?)")]
    [InlineData("records.xml", "</record>", """<field name="numbre">x</field></record>""", "records.xml: error: record 'sample_record' has no field 'numbre' (did you mean 'number'?)")]
    [InlineData("functions.xml", "</docs>", """<function name="sample_viod"><summary>x</summary></function></docs>""", "functions.xml: error: there is no function 'sample_viod' (did you mean 'sample_void'?)")]
    [InlineData("functions.xml", "sample_void\"><summary>x</summary>", "sample_void\"><summary>x</summary><returns>x</returns>", "functions.xml: error: function 'sample_void' returns nothing, but has a text for it")]
    public void A_text_for_nothing_is_named(string file, string text, string replacement, string error) => Expect(file, text, replacement, error);

    [Theory]
    [InlineData("constants.xml", "</docs>", """<constant name="SAMPLE_SIZE">y</constant></docs>""", "docs/constants.xml:1:49: error: constant 'SAMPLE_SIZE' is documented twice")]
    [InlineData("enums.xml", "<summary>x</summary>", "<summary>x</summary><sumary>x</sumary>", "docs/enums.xml:1:53: error: <sumary> is not known here (did you mean 'summary'?)")]
    [InlineData("enums.xml", "<summary>x</summary>", "<summary> </summary>", "docs/enums.xml:1:33: error: <summary> is empty")]
    [InlineData("enums.xml", "</docs>", "", "docs/enums.xml:1:")]
    public void A_fault_in_a_text_file_has_its_line(string file, string text, string replacement, string error)
    {
        Dictionary<string, string> docs = Complete;
        docs[file] = docs[file].Replace(text, replacement, StringComparison.Ordinal);
        Assert.Contains(Snippet.Errors(Header, docs: docs), found => found.StartsWith(error, StringComparison.Ordinal));
    }

    private static void Expect(string file, string text, string replacement, string error)
    {
        Dictionary<string, string> docs = Complete;
        Assert.Contains(text, docs[file], StringComparison.Ordinal);
        docs[file] = docs[file].Replace(text, replacement, StringComparison.Ordinal);
        Assert.Equal(error, Assert.Single(Snippet.Errors(Header, docs: docs)));
    }
}
