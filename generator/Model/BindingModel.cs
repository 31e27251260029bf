using Native.LibUsb.Generator.Settings;

namespace Native.LibUsb.Generator.Model;

/// <summary>Represents the declarations for which bindings are generated, in the order of the output. Declarations that the settings exclude are left
/// out.</summary>
internal sealed class BindingModel
{
    private readonly GeneratorSettings _settings;
    private readonly IReadOnlySet<string> _refused;

    public BindingModel(CHeader header, GeneratorSettings settings)
    {
        _settings = settings;
        _refused = header.Refused;
        Types = new ManagedTypes(header, settings);
        Constants = Order(header.Constants, settings.Since?.Constants);
        Enums = Order(header.Enums, settings.Since?.Enums);
        Records = Order(header.Records, settings.Since?.Records);
        Callbacks = Order(header.Callbacks, settings.Since?.Callbacks);
        Functions = Order(
            header.Functions.Where(function => !function.IsInline && !function.IsVariadic && !settings.Exclude.Functions.ContainsKey(function.Name)), settings.Since?.Functions);
    }

    public ManagedTypes Types { get; }

    public IReadOnlyList<CConstant> Constants { get; }

    public IReadOnlyList<CEnum> Enums { get; }

    public IReadOnlyList<CRecord> Records { get; }

    public IReadOnlyList<CCallback> Callbacks { get; }

    /// <summary>Gets the functions for which bindings are generated.</summary>
    public IReadOnlyList<CFunction> Functions { get; }

    /// <summary>
    /// Returns whether the generator has refused a part of the declaration. For such a declaration, the generator does not compare the layouts in C and C#, and
    /// does not check the texts of the fields, members or parameters.
    /// </summary>
    public bool IsRefused(IDeclaration declaration) => _refused.Contains(declaration.Name);

    public bool IsFlags(CEnum item) => _settings.Flags.Contains(item.Name);

    public bool SuppressesGcTransition(CFunction function) => _settings.SuppressGcTransition.Contains(function.Name);

    /// <summary>Returns the libusb version that introduced the function. The result is null if every supported version contains the function.</summary>
    public string? OptionalSince(CFunction function) =>
        _settings.Since is { } since && Version.Parse(since.Functions[function.Name]) > Version.Parse(_settings.BaseVersion) ? since.Functions[function.Name] : null;

    // Sorts the declarations in the order of the newest libusb header. libusb.h of this repository includes the installed header, and then declares the names
    // that an older installed header lacks. Without sorting, the order would therefore depend on the installed header.
    private static List<T> Order<T>(IEnumerable<T> declarations, OrderedDictionary<string, string>? versions)
        where T : IDeclaration =>
        versions is null ? [.. declarations] : [.. declarations.OrderBy(declaration => versions.IndexOf(declaration.Name))];
}
