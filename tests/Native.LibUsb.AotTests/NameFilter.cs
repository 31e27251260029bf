namespace Native.LibUsb.AotTests;

/// <summary>Selects tests by parts of their names.</summary>
internal sealed class NameFilter(string[] arguments)
{
    private readonly string[] _wanted = [.. arguments.Where(argument => !argument.StartsWith('-'))];
    private readonly string[] _unwanted = [.. arguments.Where(argument => argument.StartsWith('-')).Select(argument => argument[1..])];

    public bool Selects(string name) => (_wanted.Length == 0 || Array.Exists(_wanted, Fits(name))) && !Array.Exists(_unwanted, Fits(name));

    private static Predicate<string> Fits(string name) => part => name.Contains(part, StringComparison.Ordinal);
}
