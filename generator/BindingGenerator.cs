using Native.LibUsb.Generator.Clang;
using Native.LibUsb.Generator.Docs;
using Native.LibUsb.Generator.Emit;
using Native.LibUsb.Generator.Model;
using Native.LibUsb.Generator.Settings;

namespace Native.LibUsb.Generator;

/// <summary>Represents the whole way from a header to C#.</summary>
internal static class BindingGenerator
{
    public const string Layouts = "layouts.json";

    /// <summary>Reads the header and checks the settings against it.</summary>
    public static CHeader ReadHeader(ClangCompiler clang, string input, GeneratorSettings settings)
    {
        var header = HeaderReader.Read(clang, input, [.. settings.Exclude.Macros.Keys], out var macros);
        SettingsCheck.Run(settings, header, macros);
        return header;
    }

    /// <summary>Gets the generated files, text by name.</summary>
    /// <param name="clang">The compiler.</param>
    /// <param name="input">The header.</param>
    /// <param name="settings">What the header cannot say.</param>
    /// <param name="docs">The folder of the texts, or <see langword="null"/> for none.</param>
    public static IReadOnlyDictionary<string, string> Generate(ClangCompiler clang, string input, GeneratorSettings settings, string? docs)
    {
        var model = new BindingModel(ReadHeader(clang, input, settings), settings);
        var layout = new ManagedLayout(model.Types, RecordLayout.ReadAll(clang, input, model.Records));
        layout.Verify(model.Records);
        var texts = DocLibrary.Read(docs, model);
        return new OrderedDictionary<string, string>
        {
            ["Constants.g.cs"] = ConstantsEmitter.Emit(model, texts),
            ["Enums.g.cs"] = EnumsEmitter.Emit(model, texts),
            ["Records.g.cs"] = RecordsEmitter.Emit(model, layout, texts),
            ["Callbacks.g.cs"] = CallbacksEmitter.Emit(model, texts),
            ["Functions.g.cs"] = FunctionsEmitter.Emit(model, texts),
            [Layouts] = LayoutTableEmitter.Emit(model, layout),
        };
    }
}
