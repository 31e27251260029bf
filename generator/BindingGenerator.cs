using Native.LibUsb.Generator.Clang;
using Native.LibUsb.Generator.Docs;
using Native.LibUsb.Generator.Emit;
using Native.LibUsb.Generator.Model;
using Native.LibUsb.Generator.Settings;

namespace Native.LibUsb.Generator;

/// <summary>Generates the C# files from the header, the settings and the texts.</summary>
internal static class BindingGenerator
{
    public const string Layouts = "layouts.json";

    /// <summary>Reads the header and checks the settings against it.</summary>
    /// <param name="clang">The compiler.</param>
    /// <param name="input">The header.</param>
    /// <param name="settings">The settings file, which contains facts that the header lacks. If it is <see langword="null"/>, there are no settings.</param>
    /// <exception cref="GeneratorException">The header or the settings have errors.</exception>
    public static (CHeader Header, GeneratorSettings Settings) Read(ClangCompiler clang, string input, string? settings)
    {
        var errors = new InputErrors();
        (CHeader Header, GeneratorSettings Settings)? read = Read(clang, input, settings, errors);
        errors.ThrowIfAny();
        return read!.Value;
    }

    /// <summary>Returns the contents of the generated files. The keys are the file names.</summary>
    /// <param name="clang">The compiler.</param>
    /// <param name="input">The header.</param>
    /// <param name="settings">The settings file, which contains facts that the header lacks. If it is <see langword="null"/>, there are no settings.</param>
    /// <param name="docs">The folder of the documentation texts. If it is <see langword="null"/>, the binding has no documentation.</param>
    /// <exception cref="GeneratorException">The inputs have errors. The exception contains the errors of all files.</exception>
    public static IReadOnlyDictionary<string, string> Generate(ClangCompiler clang, string input, string? settings, string? docs)
    {
        var errors = new InputErrors();
        DocLibrary texts = DocLibrary.Read(docs, errors);
        BindingModel? model = null;
        ManagedLayout? layout = null;
        if (Read(clang, input, settings, errors) is { } read)
        {
            model = new BindingModel(read.Header, read.Settings);
            IReadOnlyList<CRecord> records = TypeCheck.Run(model, errors);
            layout = new ManagedLayout(model.Types, RecordLayout.ReadAll(clang, input, records));
            layout.Verify(records, errors);
            if (docs is not null)
                texts.Check(model);
        }

        errors.ThrowIfAny();
        return new OrderedDictionary<string, string>
        {
            ["Constants.g.cs"] = ConstantsEmitter.Emit(model!, texts),
            ["Enums.g.cs"] = EnumsEmitter.Emit(model!, texts),
            ["Records.g.cs"] = RecordsEmitter.Emit(model!, layout!, texts),
            ["Callbacks.g.cs"] = CallbacksEmitter.Emit(model!, texts),
            ["Functions.g.cs"] = FunctionsEmitter.Emit(model!, texts),
            [Layouts] = LayoutTableEmitter.Emit(model!, layout!),
        };
    }

    // The method reads both the header and the settings, even if one of them has errors. If the settings cannot be read, the method still reports the errors in
    // the header, except for errors that a setting could have suppressed.
    private static (CHeader Header, GeneratorSettings Settings)? Read(ClangCompiler clang, string input, string? file, InputErrors errors)
    {
        errors.Try(() => file is null ? new GeneratorSettings() : GeneratorSettings.Read(file), out GeneratorSettings? settings);
        IReadOnlyList<Macro> macros = [];
        if (!errors.Try(() => HeaderReader.Read(clang, input, settings?.Exclude.Macros.Keys.ToList(), errors, out macros), out CHeader? header) || settings is null)
            return null;
        SettingsCheck.Run(settings, header, macros, errors);
        return (header, settings);
    }
}
